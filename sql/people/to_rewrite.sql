-- Of which erasures did events still wait in the queue when Redis was last asked to rewrite its files? Those that were
-- done more than an hour ago, and asked for before that.
-- now: the current time.
select site_id, erasure_id
from erasures
where done_at between :'now'::timestamptz - interval '1 day' and :'now'::timestamptz - interval '1 hour'
    and redis_rewritten_at < done_at + interval '1 hour'
order by done_at, erasure_id
