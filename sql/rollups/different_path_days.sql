-- Which rows of path_days differ from a site's events?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_build_object('event_type', event_type, 'day', day, 'path', path) as key,
    says,
    should,
    count(*) over () as differences
from different_path_days(:'site_id', :'first_day', :'last_day')
order by day, event_type, path
limit :'most'
