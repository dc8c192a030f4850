-- How many events are there in a time range, of how many sites, and when are the first and the last?
-- starts, ends: the range, half-open.
select count(*) as events, count(distinct site_id) as sites, min(event_time) as first_event, max(event_time) as last_event
from events
where event_time >= :'starts' and event_time < :'ends'
