-- Differences of event_hours: where do its hours of these days differ from the events? See sql/README.md, "Recounts".
-- An hour may have the right number of events but a wrong number of anonymous ones.
create or replace function different_event_hours(site varchar, first_day date, last_day date)
returns table (event_type varchar, hour timestamptz, says bigint, should bigint, anonymous_says bigint, anonymous bigint)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select coalesce(s.event_type, r.event_type), coalesce(s.hour, r.hour), s.events, r.events, s.anonymous, r.anonymous
    from (
        select event_type, hour, events, anonymous
        from event_hours
        where site_id = site
            and hour >= first_day::timestamp at time zone zone - interval '3 hours'
            and hour < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (hour at time zone zone)::date between first_day and last_day
    ) s
    full join (
        select
            event_type,
            date_trunc('hour', event_time, zone) as hour,
            count(*) as events,
            count(*) - count(user_id) as anonymous
        from events
        where site_id = site
            and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
            and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (date_trunc('hour', event_time, zone) at time zone zone)::date between first_day and last_day
        group by 1, 2
    ) r on r.event_type = s.event_type and r.hour = s.hour
    where (s.events, s.anonymous) is distinct from (r.events, r.anonymous);
end
$$;
