-- Note that the tables of an erasure are vacuumed.
-- site_id: the site; erasure_id: the erasure; now: the current time.
update erasures
set vacuumed_at = :'now'
where site_id = :'site_id' and erasure_id = :'erasure_id'
