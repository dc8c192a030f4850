-- Which rows of path_spans differ from a site's path_days?
-- site_id: the site; first_day, last_day: days of its timezone, both included: spans with any of these days; most: how
-- many to show.
select
    json_build_object('event_type', event_type, 'first_day', first_day, 'end_day', end_day, 'path', path) as key,
    says,
    should,
    count(*) over () as differences
from different_path_spans(:'site_id', :'first_day', :'last_day')
order by first_day, end_day, event_type, path
limit :'most'
