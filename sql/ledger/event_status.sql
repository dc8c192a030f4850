-- What happened to an event: is it stored, or a dead letter?
-- site_id: the site; with_key, without_key: the ids under which an event of a client's id is stored. No row: neither. One
-- that came with a secret key takes precedence; then a stored event, before a dead letter with the same id.
select
    'stored' as status, event_time, received_at, stored_at, null::uuid as dead_letter_id,
    event_id = :'with_key' as secret_key
from events
where site_id = :'site_id' and event_id in (:'with_key', :'without_key')
union all
select 'dead', null, received_at, null, id, event_id = :'with_key'
from dead_letters
where site_id = :'site_id' and event_id in (:'with_key', :'without_key') and state in ('dead', 'discarded')
order by secret_key desc, stored_at nulls last
limit 1
