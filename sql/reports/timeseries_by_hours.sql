-- How many events did a site have in each bucket of a range? From the rollup by hour.
-- site_id: the site; start, end: the range, both on hours of the site; interval: hour, day, week or month of timezone;
-- step: see buckets.sql; filters: on event types, see event_matches.
--
-- Hours are stored truncated in the site's timezone. Where clocks change by half an hour, truncating them again can
-- give a moment within another hour.
with hours as (
    select hour, sum(events)::bigint as events
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
    group by hour
),
counted as (
    select
        case :'interval' when 'hour' then hour else date_trunc(:'interval', hour, :'timezone') end as at,
        sum(events)::bigint as value
    from hours
    group by 1
)
select at, coalesce(value, 0) as value
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone')
left join counted using (at)
order by at
