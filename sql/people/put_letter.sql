-- Replace what a dead letter holds.
-- id: the letter's id; payload, error: what it holds from now on.
update dead_letters
set payload = :'payload', error = :'error'
where id = :'id'
