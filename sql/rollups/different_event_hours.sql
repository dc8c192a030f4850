-- Which rows of event_hours differ from a site's events, in their events or their anonymous events?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_strip_nulls(json_build_object(
        'event_type', event_type,
        'hour', to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'counts', case when says is not distinct from should then 'anonymous' end
    )) as key,
    case when says is not distinct from should then anonymous_says else says end as says,
    case when says is not distinct from should then anonymous else should end as should,
    count(*) over () as differences
from different_event_hours(:'site_id', :'first_day', :'last_day')
order by hour, event_type
limit :'most'
