-- How many events did a site have in each bucket of a range? From the events themselves.
-- site_id: the site; start, end: the range, half-open; interval: minute, hour, day, week or month of timezone; step:
-- see buckets.sql; filters: see event_matches; users: only users whose events match these filters, so that an index can
-- be used; null: all.
with counted as (
    select date_trunc(:'interval', event_time, :'timezone') as at, count(*) as value
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and (:'users'::text[] is null or user_id = any (:'users'::text[]))
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    group by 1
)
select at, coalesce(value, 0) as value
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone')
left join counted using (at)
order by at
