-- Spread the tables over the nodes of a Citus cluster; on plain PostgreSQL it does nothing. `tjra migrate` runs it each time
-- after the migrations, through the coordinator; what is spread already stays as it is.
--
-- All that a site has is on one node: tables whose key begins with site_id go together by it, so that every report is
-- answered by that node. Dead letters and settled messages have ids of their own and go by those. The row of kept_events
-- is needed everywhere. The list of migrations stays on the coordinator.
do $$
declare
    name regclass;
    code regprocedure;
begin
    if not exists (select from pg_proc where proname = 'create_distributed_table') then
        return;
    end if;
    perform set_config('citus.multi_shard_modify_mode', 'sequential', true);
    -- Citus finds a statement's shards by its values when it plans it: it must see them.
    alter function store_events(jsonb) reset plan_cache_mode;

    for name in
        select c.oid
        from pg_class c
        join pg_index i on i.indrelid = c.oid and i.indisprimary
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where c.relnamespace = current_schema()::regnamespace and a.attname = 'site_id' and not c.relispartition
            and c.oid not in (select logicalrelid from pg_dist_partition)
        order by c.relname <> 'sites', c.relname
    loop
        perform create_distributed_table(
            name, 'site_id', colocate_with => case when name = 'sites'::regclass then 'none' else 'sites' end
        );
    end loop;
    if 'dead_letters'::regclass not in (select logicalrelid from pg_dist_partition) then
        perform create_distributed_table('dead_letters', 'id', colocate_with => 'none');
        perform create_distributed_table('settled_messages', 'message_id', colocate_with => 'none');
        perform create_reference_table('kept_events');
    end if;

    for code in
        select p.oid
        from pg_proc p
        where p.pronamespace = current_schema()::regnamespace
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    loop
        perform create_distributed_function(code);
    end loop;
end
$$;
