-- Which rows of path_totals differ from a site's path_days?
-- site_id: the site; most: how many to show.
select
    json_build_object('event_type', event_type, 'path', path) as key,
    says,
    should,
    count(*) over () as differences
from different_path_totals(:'site_id')
order by event_type, path
limit :'most'
