-- Of the users first seen in each day or week of a range, how many came back in the following ones? From the events
-- themselves.
-- site_id: the site; start, end: the range, half-open; interval: day or week of timezone; periods: how many following
-- periods; as_of: the current time, after which there are none; filters: which events count as coming back, see
-- event_matches.
--
-- When a user was first seen comes from both events and users: an event may arrive after later ones, and older events
-- may have been dropped.
with newcomers as materialized (
    select user_id, date_trunc(:'interval', min(moment) at time zone :'timezone') as period
    from (
        select user_id, event_time as moment
        from events
        where site_id = :'site_id' and user_id is not null
        union all
        select user_id, first_seen
        from users
        where site_id = :'site_id'
    ) moments
    group by user_id
    having min(moment) >= :'start' and min(moment) < :'end'
),
sizes as (
    select period, count(*) as size
    from newcomers
    group by period
),
returns as (
    select period, later, count(*) as users
    from (
        select distinct n.period, date_trunc(:'interval', e.event_time at time zone :'timezone') as later, n.user_id
        from newcomers n
        join events e on e.site_id = :'site_id' and e.user_id = n.user_id
        where e.event_time >= :'start'
            and e.event_time < :'end'::timestamptz + (:'periods'::integer + 2) * ('1 ' || :'interval')::interval
            and event_matches(e.event_type, e.path, e.user_id, e.visitor_id, e.properties, :'filters'::jsonb)
    ) users
    group by period, later
),
anonymous as (
    select date_trunc(:'interval', event_time at time zone :'timezone') as period, count(*) as anonymous
    from events
    where site_id = :'site_id' and user_id is null and event_time >= :'start' and event_time < :'end'
    group by 1
)
select
    period::date as cohort,
    coalesce(size, 0) as size,
    coalesce(anonymous, 0) as anonymous,
    array_agg(coalesce(users, 0) order by later) as values
from generate_series(
    date_trunc(:'interval', :'start'::timestamptz at time zone :'timezone'),
    (:'end'::timestamptz - interval '1 microsecond') at time zone :'timezone',
    ('1 ' || :'interval')::interval
) period
cross join lateral (
    select period + n * ('1 ' || :'interval')::interval as later, n
    from generate_series(0, :'periods'::integer) n
) following
left join sizes using (period)
left join anonymous using (period)
left join returns using (period, later)
where n = 0 or later <= :'as_of'::timestamptz at time zone :'timezone'
group by period, size, anonymous
order by period
