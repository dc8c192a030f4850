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
-- Without a join of users to their events, which for a planner without statistics costs the product of both.
days as (
    select user_id, max(period) as period, array_agg(later order by later) filter (where later is not null) as laters
    from (
        select user_id, period, null as later
        from newcomers
        union all
        select distinct user_id, null::timestamp, date_trunc(:'interval', event_time at time zone :'timezone')
        from events
        where site_id = :'site_id' and user_id is not null and event_time >= :'start'
            and event_time < :'end'::timestamptz + (:'periods'::integer + 2) * ('1 ' || :'interval')::interval
            and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    ) of_users
    group by user_id
),
returns as (
    select d.period, l.later, count(*) as users
    from days d
    cross join lateral unnest(d.laters) l (later)
    where d.period is not null
    group by d.period, l.later
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
