-- Record that a dead letter could not be stored this time either.
-- id: the letter's id; request: the request's id; error, sqlstate: why.
update dead_letters
set
    attempts = attempts + 1,
    error = :'error',
    sqlstate = :'sqlstate',
    failed_at = now(),
    changed_by = :'request',
    changed_at = now()
where id = :'id'
