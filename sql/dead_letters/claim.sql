-- Take a dead letter in hand, so that nobody else replays or discards it meanwhile: what is in it, and its state?
-- id: the letter's id.
select state, site_id, payload
from dead_letters
where id = :'id'
for update
