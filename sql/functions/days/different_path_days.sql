-- Differences of path_days: where do its rows of these days differ from the events? See sql/README.md, "Recounts".
-- says: actual, from the rollup; should: expected, from the events. All different_* functions use these names.
create or replace function different_path_days(site varchar, first_day date, last_day date)
returns table (event_type varchar, day date, path text, says bigint, should bigint)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select coalesce(s.event_type, r.event_type), coalesce(s.day, r.day), coalesce(s.path, r.path), s.events, r.events
    from (
        select event_type, day, path, events
        from path_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select event_type, (event_time at time zone zone)::date as day, path, count(*) as events
        from events
        where site_id = site
            and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
            and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (event_time at time zone zone)::date between first_day and last_day
        group by 1, 2, 3
    ) r on r.event_type = s.event_type and r.day = s.day and r.path = s.path
    where s.events is distinct from r.events;
end
$$;
