-- Which events by hour of a site differ from what its events say?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show of them.
select
    json_build_object(
        'event_type', event_type,
        'hour', to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    ) as key,
    says,
    should,
    count(*) over () as differences
from different_event_hours(:'site_id', :'first_day', :'last_day')
order by hour, event_type
limit :'most'
