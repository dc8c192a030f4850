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
    types text;
begin
    if not exists (select 1 from pg_proc where proname = 'create_distributed_table') then
        return;
    end if;
    perform set_config('citus.multi_shard_modify_mode', 'sequential', true);
    -- Citus finds a statement's shards by its values when it plans it: it must see them.
    alter function store_events(jsonb, timestamptz) reset plan_cache_mode;
    -- A process that works beside another for it cannot ask several nodes.
    for code in
        select oid from pg_proc where pronamespace = current_schema()::regnamespace and proname in ('journeys_of_half')
    loop
        execute format('alter function %s parallel unsafe', code);
    end loop;
    -- Several partitions in a transaction, each made over several connections, could wait for each other.
    for code in
        select oid from pg_proc where pronamespace = current_schema()::regnamespace and proname = 'make_partition'
    loop
        execute format('alter function %s set citus.multi_shard_modify_mode = ''sequential''', code);
    end loop;

    -- Of a plain database that has become one of Citus: sites refer to timezones again once both are spread (db/timezones.py).
    if 'sites'::regclass not in (select logicalrelid from pg_dist_partition) then
        alter table sites drop constraint if exists sites_timezone_known;
    end if;

    -- What connections set (db/pools.py) does not reach the nodes, where to compile a query takes longer than most take too.
    perform run_command_on_all_nodes(format('alter database %I set %s', current_database(), setting))
    from unnest(array['jit = off', 'work_mem = ''32MB''']) setting;

    -- Sites refer to it: before they are spread.
    if to_regclass('timezones') not in (select logicalrelid from pg_dist_partition) then
        perform create_reference_table('timezones');
    end if;
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

    -- Our types are not sent to nodes that were added later, unless with a function that takes them.
    select string_agg(format_type(c.reltype, null), ', ' order by c.relname) into types
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'c';
    execute format('create function takes_our_types(%s) returns void language sql return null', types);
    code := 'takes_our_types'::regproc;
    perform create_distributed_function(code);
    execute format('drop function %s', code);

    -- On a node too, one in SQL must find those that it calls.
    for code in
        with recursive ours as (
            select p.oid, p.proname, case l.lanname when 'sql' then p.prosrc end as body
            from pg_proc p
            join pg_language l on l.oid = p.prolang
            where p.pronamespace = current_schema()::regnamespace
                and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        ),
        calls as (
            select caller.oid as caller, called.oid as called
            from ours caller
            join ours called on called.oid <> caller.oid and caller.body ~ format('\m%s\s*\(', called.proname)
        ),
        ranks as (
            select oid, 0 as rank from ours
            union
            select c.caller, r.rank + 1 from ranks r join calls c on c.called = r.oid
        )
        select oid from ranks group by oid order by max(rank), oid
    loop
        perform create_distributed_function(code);
    end loop;
end
$$;
