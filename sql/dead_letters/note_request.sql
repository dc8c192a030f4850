-- Record a request for a letter that has been replayed or discarded already: nothing else changes.
-- id: the letter's id; request: the request's id.
update dead_letters
set changed_by = :'request', changed_at = now()
where id = :'id'
