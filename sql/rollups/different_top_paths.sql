-- Which rows of top_paths differ from a site's path_days, and how many events does each have?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_build_object('day', day) as key,
    says,
    should,
    count(*) over () as differences
from different_top_paths(:'site_id', :'first_day', :'last_day')
order by day
limit :'most'
