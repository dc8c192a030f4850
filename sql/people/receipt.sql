-- The receipt of an erasure.
-- site_id: the site; erasure_id: the erasure.
select
    site_id, erasure_id, encode(person, 'hex') as person, asked_at, asked_by, begun_at, done_at, erased, holds_until,
    vacuumed_at, redis_rewritten_at
from erasures
where site_id = :'site_id' and erasure_id = :'erasure_id'
