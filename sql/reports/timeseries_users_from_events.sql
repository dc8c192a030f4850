-- How many unique users did a site have in each bucket of a range, and how many events without a user? From the events
-- themselves.
-- site_id: the site; start, end: the range, half-open; interval: minute, hour, day, week or month of timezone; step:
-- see buckets.sql; filters: see event_matches; users: only users whose events match these filters, so that an index can
-- be used; null: all.
with pairs as (
    select date_trunc(:'interval', event_time, :'timezone') as at, user_id, count(*) as events
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and (:'users'::text[] is null or user_id = any (:'users'::text[]))
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    group by 1, 2
),
counted as (
    select at, count(user_id) as value, sum(events) filter (where user_id is null)::bigint as anonymous
    from pairs
    group by at
)
select at, coalesce(value, 0) as value, coalesce(anonymous, 0) as anonymous
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone')
left join counted using (at)
order by at
