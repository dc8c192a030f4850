-- Which top paths of a site differ from what its path_days say, and how many events have these days?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show of them.
select
    json_build_object('day', day) as key,
    says,
    should,
    count(*) over () as differences
from different_top_paths(:'site_id', :'first_day', :'last_day')
order by day
limit :'most'
