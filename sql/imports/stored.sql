-- How many events of an import are stored, and which time range do they cover?
-- site_id, import_id: the import; first_time, last_time: a time range that holds all its events, or nulls.
select count(*), min(event_time), max(event_time)
from events
where site_id = :'site_id'
    and properties ->> 'import_id' = :'import_id'
    and event_time >= coalesce(:'first_time'::timestamptz, '-infinity')
    and event_time <= coalesce(:'last_time'::timestamptz, 'infinity')
