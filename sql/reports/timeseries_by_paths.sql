-- How many events did a site have in each bucket of a range? From the rollup by day and path.
-- site_id: the site; first_day, end_day: days of the site, half-open; interval: day, week or month of timezone, which is
-- the site's; filters: of event types and paths, see event_matches.
select date_trunc(:'interval', day::timestamp) at time zone :'timezone' as at, sum(events)::bigint as value
from path_days
where site_id = :'site_id' and day >= :'first_day' and day < :'end_day'
    and event_matches(event_type, path, null, null, :'filters'::jsonb)
group by 1
order by 1
