-- Which totals of paths of a site differ from what its path_days say?
-- site_id: the site; most: how many to show of them.
select
    json_build_object('event_type', event_type, 'path', path) as key,
    says,
    should,
    count(*) over () as differences
from different_path_totals(:'site_id')
order by event_type, path
limit :'most'
