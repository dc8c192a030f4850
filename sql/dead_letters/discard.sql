-- Discard dead letters: they will not be replayed. Their events still count as dead.
-- ids: the letters' ids; request: the request's id.
update dead_letters
set
    state = case when state = 'dead' then 'discarded' else state end,
    changed_by = :'request',
    changed_at = now()
where id = any(:'ids'::uuid[])
