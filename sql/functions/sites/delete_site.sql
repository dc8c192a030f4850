-- Delete all that a site has, in the order of all who store: the site first. What stays are the counts of the ledger, which
-- say how many events were accepted and stored on a day: Redis goes on counting, and they would not balance without.
create or replace function delete_site(site varchar) returns table (name text, deleted bigint)
language plpgsql
as $$
begin
    -- On Citus the tables do not all go by their site.
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
