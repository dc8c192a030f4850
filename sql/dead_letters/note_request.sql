-- Note that a letter which is settled was asked for again: nothing else changes.
-- id: the letter's id; request: who asked.
update dead_letters
set changed_by = :'request', changed_at = now()
where id = :'id'
