-- Create these sites if they are missing, and lock them one by one, in order: writers of the same sites queue up
-- instead of deadlocking, and what follows sees the commits of the writer before. An existing site is locked without a
-- write. Each site has its own statement, so that on Citus each goes to one shard.
create or replace function lock_sites(sites text[]) returns void
language plpgsql
as $$
declare
    site varchar(255);
begin
    for site in
        select distinct site_id collate "C"
        from unnest(sites) site_id
        order by 1
    loop
        perform from sites s where s.site_id = site for update;
        if not found then
            insert into sites (site_id) values (site)
            on conflict (site_id) do update set users = sites.users;
        end if;
    end loop;
end
$$;
