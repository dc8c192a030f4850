-- Differences of top_paths: which days have a row that differs from path_days, or lack a row? Outdated rows are
-- skipped, as they are known to be wrong. See sql/README.md, "Recounts".
create or replace function different_top_paths(site varchar, from_day date, to_day date)
returns table (day date, says bigint, should bigint)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    written_until date := (select s.top_paths_until from sites s where s.site_id = site);
    wanted top_day[] := top_paths_of(site, from_day, least(to_day, written_until - 1));
begin
    return query
    select coalesce(t.day, w.day), t.events, w.events
    from (
        select day, events, paths, top_paths, top_events, outdated
        from top_paths
        where site_id = site and day between from_day and to_day
    ) t
    full join unnest(wanted) w on w.day = t.day
    where t.outdated is not true
        and (t.events, t.paths, t.top_paths, t.top_events)
            is distinct from (w.events, w.paths, w.top_paths, w.top_events);
end
$$;
