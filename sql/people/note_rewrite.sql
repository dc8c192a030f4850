-- Note that Redis was asked to rewrite its files.
-- site_id: the site; erasure_id: the erasure; now: the current time.
update erasures
set redis_rewritten_at = :'now'
where site_id = :'site_id' and erasure_id = :'erasure_id'
