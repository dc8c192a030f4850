-- Waits until no restore and no migration is running, also one whose client is gone.
-- lock: the number of their lock.
select pg_advisory_xact_lock(:'lock'::bigint)
