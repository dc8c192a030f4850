-- Which totals of events of a site differ from what its event_hours say? In their number, that of the anonymous, or in
-- their first or last hour.
-- site_id: the site; most: how many to show of them.
select
    json_build_object('event_type', event_type) as key,
    says,
    should,
    count(*) over () as differences
from different_event_totals(:'site_id')
order by event_type
limit :'most'
