-- A person's events, the oldest first.
-- site_id: the site; user_id: the person.
select event_id, event_type, path, event_time, received_at, stored_at, properties::text as properties, visitor_id
from events
where site_id = :'site_id' and user_id = :'user_id'
order by event_time, event_id
