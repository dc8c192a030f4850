-- Which erasures are left: not done a minute after they were asked for, or for a day their tables not vacuumed?
-- now: the current time.
select site_id, erasure_id
from erasures
where asked_at < :'now'::timestamptz - interval '1 minute'
    and (done_at is null or vacuumed_at is null and asked_at > :'now'::timestamptz - interval '1 day')
order by asked_at, erasure_id
