-- Delete the events that an import brought.
-- site_id, import_id: which; first_time, last_time: no event of it is before or after these.
delete from events
where site_id = :'site_id'
    and properties ->> 'import_id' = :'import_id'
    and event_time >= :'first_time'
    and event_time <= :'last_time'
