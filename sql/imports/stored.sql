-- How many events of a site did an import bring, and from when to when are they?
-- site_id, import_id: which; first_time, last_time: no event of it is before or after these, or null.
select count(*), min(event_time), max(event_time)
from events
where site_id = :'site_id'
    and properties ->> 'import_id' = :'import_id'
    and event_time >= coalesce(:'first_time'::timestamptz, '-infinity')
    and event_time <= coalesce(:'last_time'::timestamptz, 'infinity')
