-- Delete the ids of an import's events, so that they can be imported again.
-- site_id, import_id: the import; first_time, last_time: the time range that holds all its events.
delete from event_ids i
using events e
where i.site_id = :'site_id'
    and e.site_id = :'site_id'
    and e.event_id = i.event_id
    and e.properties ->> 'import_id' = :'import_id'
    and e.event_time >= :'first_time'
    and e.event_time <= :'last_time'
