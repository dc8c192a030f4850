-- How many unique users did a site have in each bucket of a range, and how many events without a user? From rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; start, end: the same as instants; interval: day,
-- week or month of timezone, which is the site's; step: see buckets.sql; filters: on event types, see event_matches.
-- Without filters the days from days_until to days_from are read as the spans that begin and end on the days of the
-- arrays span_firsts and span_ends, none of which is longer than the interval.
with parts as (
    select day, chunk, users
    from user_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'days_until'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
    union all
    select s.first_day, s.chunk, s.users
    from unnest(:'span_firsts'::date[], :'span_ends'::date[]) u (first_day, end_day)
    join user_spans s on s.site_id = :'site_id' and s.first_day = u.first_day and s.end_day = u.end_day
        and s.event_type = ''
    union all
    select day, chunk, users
    from user_days
    where site_id = :'site_id' and day >= :'days_from' and day < :'end_day'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
),
chunks as (
    select date_trunc(:'interval', day::timestamp) as at, bit_count(bit_or(users)) as users
    from parts
    group by date_trunc(:'interval', day::timestamp), chunk
),
users as (
    select at at time zone :'timezone' as at, sum(users)::bigint as users
    from chunks
    group by at
),
nobody as (
    select
        date_trunc(:'interval', hour at time zone :'timezone') at time zone :'timezone' as at,
        sum(anonymous)::bigint as anonymous
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
    group by 1
)
select at, coalesce(users, 0) as value, coalesce(anonymous, 0) as anonymous
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone')
left join users using (at)
left join nobody using (at)
order by at
