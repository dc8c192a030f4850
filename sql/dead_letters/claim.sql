-- Lock a dead letter, so that no other transaction replays or discards it meanwhile: what are its state and payload?
-- id: the letter's id.
select state, site_id, payload
from dead_letters
where id = :'id'
for update
