-- Differences of session_days: where do its rows of these days differ from the sessions? A missing row equals a row of
-- zeros. Days whose events have expired are left out, as in all rollups; see sql/README.md, "Recounts".
create or replace function different_session_days(site varchar, first_day date, last_day date)
returns table (
    day date, seconds integer,
    says_sessions integer, says_bounces integer, says_views integer, says_length interval,
    sessions integer, bounces integer, views integer, length interval
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select
        coalesce(s.day, r.day), coalesce(s.seconds, r.seconds),
        coalesce(s.sessions, 0), coalesce(s.bounces, 0), coalesce(s.views, 0), coalesce(s.length, '0'),
        coalesce(r.sessions, 0), coalesce(r.bounces, 0), coalesce(r.views, 0), coalesce(r.length, '0')
    from (
        select *
        from session_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select
            (began at time zone zone)::date as day,
            floor(date_part('epoch', ended - began))::integer as seconds,
            count(*)::integer as sessions,
            count(*) filter (where events = 1)::integer as bounces,
            sum(views)::integer as views,
            sum(ended - began) as length
        from sessions
        where site_id = site
            and began >= first_day::timestamp at time zone zone - interval '3 hours'
            and began < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (began at time zone zone)::date between first_day and last_day
        group by 1, 2
    ) r on r.day = s.day and r.seconds = s.seconds
    where (coalesce(s.sessions, 0), coalesce(s.bounces, 0), coalesce(s.views, 0), coalesce(s.length, '0'))
        <> (coalesce(r.sessions, 0), coalesce(r.bounces, 0), coalesce(r.views, 0), coalesce(r.length, '0'));
end
$$;
