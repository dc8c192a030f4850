-- Make these sites and lock them one by one in order: writers on the same sites queue up instead of meeting in a
-- deadlock, and what follows sees what the writer before has committed. A site that is there is locked without being
-- written, each by itself, so that on Citus each of these goes to one shard.
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
