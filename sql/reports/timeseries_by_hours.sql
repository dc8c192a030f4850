-- How many events did a site have in each bucket of a range? From the rollup by hour.
-- site_id: the site; start, end: the range, where hours of the site begin; interval: hour, day, week or month of
-- timezone; filters: of event types, see event_matches.
select date_trunc(:'interval', hour, :'timezone') as at, sum(events)::bigint as value
from event_hours
where site_id = :'site_id' and hour >= :'start' and hour < :'end'
    and event_matches(event_type, null, null, null, :'filters'::jsonb)
group by 1
order by 1
