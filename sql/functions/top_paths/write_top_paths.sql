-- Write the row of a day from path_days. Did the day have events? The caller has locked the site.
create or replace function write_top_paths(site varchar, some_day date, out written boolean)
language plpgsql
as $$
declare
    wanted top_day[] := top_paths_of(site, some_day, some_day);
begin
    delete from top_paths t where t.site_id = site and t.day = some_day;
    insert into top_paths (site_id, day, events, paths, top_paths, top_events)
    select site, w.day, w.events, w.paths, w.top_paths, w.top_events
    from unnest(wanted) w;
    written := found;
end
$$;
