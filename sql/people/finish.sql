-- Note that an erasure is done, and forget whom it was about.
-- site_id: the site; erasure_id: the erasure; erased: rows by table; begun_at: when it began; done_at, holds_until: see the
-- table erasures.
update erasures
set
    user_id = null, erased = :'erased'::jsonb, begun_at = :'begun_at', done_at = :'done_at', holds_until = :'holds_until'
where site_id = :'site_id' and erasure_id = :'erasure_id'
