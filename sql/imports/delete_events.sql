-- Delete the events of an import.
-- site_id, import_id: the import; first_time, last_time: the time range that holds all its events.
delete from events
where site_id = :'site_id'
    and properties ->> 'import_id' = :'import_id'
    and event_time >= :'first_time'
    and event_time <= :'last_time'
