-- What is in a dead letter?
-- id: the letter's id.
select
    id, state, site_id, event_id, event_type, received_at, queue, message_id, error, sqlstate, attempts, failed_at,
    changed_at, length(payload) as payload_bytes, payload
from dead_letters
where id = :'id'
