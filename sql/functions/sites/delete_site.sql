-- Delete all data of a site. Locks the site first, as writers do. The ledger's counts stay (events accepted and stored
-- per day): Redis goes on counting, and the ledger would not balance without them.
create or replace function delete_site(site varchar) returns table (name text, deleted bigint)
language plpgsql
as $$
begin
    -- On Citus not all tables are distributed by site.
    perform set_config('citus.multi_shard_modify_mode', 'sequential', true);
    perform 1 from sites s where s.site_id = site for update;
    if not found then
        return;
    end if;
    for name in
        select c.relname
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id' and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname not in ('settled_days', 'accepted_days')
        order by c.relname = 'sites', c.relname
    loop
        execute format('delete from %I where site_id = $1', name) using site;
        get diagnostics deleted = row_count;
        return next;
    end loop;
end
$$;
