-- Which events by path and day of a site differ from what its events say?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show of them.
select
    json_build_object('event_type', event_type, 'day', day, 'path', path) as key,
    says,
    should,
    count(*) over () as differences
from different_path_days(:'site_id', :'first_day', :'last_day')
order by day, event_type, path
limit :'most'
