-- Which rows of event_totals differ from a site's event_hours: in the events, the anonymous ones, or the first or last
-- hour?
-- site_id: the site; most: how many to show.
select
    json_build_object('event_type', event_type) as key,
    says,
    should,
    count(*) over () as differences
from different_event_totals(:'site_id')
order by event_type
limit :'most'
