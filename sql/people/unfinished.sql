-- Which erasures are left: not done, or their tables not vacuumed, a minute after they were asked for?
-- now: the current time.
select site_id, erasure_id
from erasures
where (done_at is null or vacuumed_at is null) and asked_at < :'now'::timestamptz - interval '1 minute'
order by asked_at, erasure_id
