-- What happened to an event: is it stored, or a dead letter?
-- site_id, event_id: the event. No row: neither. A stored event takes precedence over a dead letter with the same id.
select 'stored' as status, event_time, received_at, stored_at, null::uuid as dead_letter_id
from events
where site_id = :'site_id' and event_id = :'event_id'
union all
select 'dead', null, received_at, null, id
from dead_letters
where site_id = :'site_id' and event_id = :'event_id' and state in ('dead', 'discarded')
order by stored_at nulls last
limit 1
