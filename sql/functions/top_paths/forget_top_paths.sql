-- Mark the rows of some days before the watermark as outdated, for maintenance to write them again; later days have no
-- rows. The caller has locked the site.
create or replace function forget_top_paths(site varchar, days date[]) returns void
language plpgsql
as $$
declare
    written_until date := (select s.top_paths_until from sites s where s.site_id = site);
begin
    delete from top_paths t where t.site_id = site and t.day = any (days) and t.day >= written_until;
    update top_paths t set outdated = true where t.site_id = site and t.day = any (days) and not t.outdated;
    insert into top_paths (site_id, day, events, paths, top_paths, top_events, outdated)
    select site, d.day, 0, 0, '{}', '{}', true
    from unnest(days) d (day)
    where d.day < written_until
    on conflict do nothing;
end
$$;
