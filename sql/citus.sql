-- Distribute the tables over the nodes of a Citus cluster; on plain PostgreSQL it does nothing. `tjra migrate` runs it
-- each time after the migrations, through the coordinator; tables that are distributed already stay as they are.
--
-- All data of a site is on one node: tables with site_id in their key are distributed by it and colocated, so that one
-- node answers a report. dead_letters and settled_messages are distributed by their own ids. kept_events has one row,
-- which every node needs; erased_people is mostly empty, and read at each flush. The tables migrations, keys, logins and
-- audit stay on the coordinator.
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
    -- Citus needs a statement's values at plan time to find its shards.
    alter function store_events(jsonb, timestamptz) reset plan_cache_mode;
    -- A parallel worker cannot query several nodes.
    for code in
        select oid from pg_proc where pronamespace = current_schema()::regnamespace and proname in ('journeys_of_half')
    loop
        execute format('alter function %s parallel unsafe', code);
    end loop;
    -- Several partitions in one transaction, each made over several connections, could deadlock.
    for code in
        select oid from pg_proc where pronamespace = current_schema()::regnamespace and proname = 'make_partition'
    loop
        execute format('alter function %s set citus.multi_shard_modify_mode = ''sequential''', code);
    end loop;

    -- A plain database that has become a Citus one: the foreign key is added again once both tables are distributed
    -- (db/sites/timezones.py).
    if 'sites'::regclass not in (select logicalrelid from pg_dist_partition) then
        alter table sites drop constraint if exists sites_timezone_known;
    end if;

    -- The settings of connections (db/connections/pools.py) do not reach the nodes. There too JIT compilation takes
    -- longer than most queries.
    perform run_command_on_all_nodes(format('alter database %I set %s', current_database(), setting))
    from unnest(array['jit = off', 'work_mem = ''32MB''']) setting;

    -- Before sites, which has a foreign key to it.
    if to_regclass('timezones') not in (select logicalrelid from pg_dist_partition) then
        perform create_reference_table('timezones');
    end if;
    for name in
        select c.oid
        from pg_class c
        join pg_index i on i.indrelid = c.oid and i.indisprimary
        join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey::smallint[])
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
    if 'erased_people'::regclass not in (select logicalrelid from pg_dist_partition) then
        perform create_reference_table('erased_people');
    end if;

    -- Citus sends our types to nodes that are added later only with a function that takes them.
    select string_agg(format_type(c.reltype, null), ', ' order by c.relname) into types
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'c';
    execute format('create function takes_our_types(%s) returns void language sql return null', types);
    code := 'takes_our_types'::regproc;
    perform create_distributed_function(code);
    execute format('drop function %s', code);

    -- In call order: on a node too, a function in SQL must find the functions that it calls.
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
