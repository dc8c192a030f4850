-- Of the users first seen in each day or week of a range, how many came back in the following ones? From rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; start, end: the same as instants; interval: day
-- or week; timezone: the site's; periods: how many following periods; as_of: the current time, after which there are
-- none; filters: which events count as coming back, by event type, see event_matches.
--
-- The cohort of a period is the users with events in it and in none before. All time before the range is one period
-- without a date: whole months, then five-day spans, then days, from user_spans up to its watermark.
with known as materialized (
    select until, date_trunc('month', until)::date as month, sixth_of(until) as sixth
    from (
        select least(:'first_day'::date, user_spans_until) as until
        from sites
        where site_id = :'site_id'
    ) spans
),
months as (
    select generate_series(min(first_day)::timestamp, (select month - 1 from known)::timestamp, interval '1 month') as month
    from user_spans
    where site_id = :'site_id' and event_type = ''
),
parts as (
    select null::date as day, null as event_type, s.chunk, s.users
    from months m
    cross join lateral (
        select chunk, users
        from user_spans
        where site_id = :'site_id' and event_type = ''
            and first_day = date_trunc('month', m.month)::date
            and end_day = (date_trunc('month', m.month) + interval '1 month')::date
        -- Read month by month: the planner would expect a thousand months.
        offset 0
    ) s
    union all
    select null, null, s.chunk, s.users
    from known k
    join user_spans s on s.site_id = :'site_id' and s.event_type = ''
        and s.first_day >= k.month and s.first_day < k.until and s.end_day <= k.until
        and (s.end_day > s.first_day + 1) = (s.first_day < k.sixth)
    union all
    select null, null, d.chunk, d.users
    from known k
    join user_days d on d.site_id = :'site_id' and d.day >= k.until and d.day < :'first_day'
    union all
    select day, event_type, chunk, users
    from user_days
    where site_id = :'site_id' and day >= :'first_day'
        and day < :'end_day'::date + (:'periods'::integer + 1) * ('1 ' || :'interval')::interval
),
presences as materialized (
    select
        date_trunc(:'interval', day::timestamp) as period,
        chunk,
        bit_or(users) filter (where day < :'end_day' or day is null) as users,
        bit_or(users) filter (where event_matches(event_type, null, null, null, null, :'filters'::jsonb)) as matching
    from parts
    group by 1, 2
),
cohorts as materialized (
    select period, chunk, users
    from (
        select
            period,
            chunk,
            users & ~coalesce(
                bit_or(users) over (
                    partition by chunk order by period nulls first rows between unbounded preceding and 1 preceding
                ),
                repeat('0', 8192)::bit(8192)
            ) as users
        from presences
    ) newcomers
    where period is not null and bit_count(users) > 0
),
sizes as (
    select period, sum(bit_count(users))::bigint as size
    from cohorts
    group by period
),
returns as (
    select c.period, p.period as later, sum(bit_count(c.users & p.matching))::bigint as users
    from cohorts c
    join presences p on p.chunk = c.chunk and p.period >= c.period
        and p.period <= c.period + :'periods'::integer * ('1 ' || :'interval')::interval
    group by 1, 2
),
anonymous as (
    select date_trunc(:'interval', hour at time zone :'timezone') as period, sum(anonymous)::bigint as anonymous
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
    group by 1
)
select
    period::date as cohort,
    coalesce(size, 0) as size,
    coalesce(anonymous, 0) as anonymous,
    array_agg(coalesce(users, 0) order by later) as values
from generate_series(
    date_trunc(:'interval', :'first_day'::date::timestamp),
    :'end_day'::date - interval '1 day',
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
