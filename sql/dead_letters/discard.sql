-- Discard dead letters: nobody will want to replay them. Their events still count as dead.
-- ids: the letters' ids; request: who asked.
update dead_letters
set
    state = case when state = 'dead' then 'discarded' else state end,
    changed_by = :'request',
    changed_at = now()
where id = any(:'ids'::uuid[])
