-- Let a valid key, which is no share link, expire after some time; what it allowed until now, and when it expires.
-- Parameters: id; overlap, an interval.
with before as (
    select id, expires_at
    from keys
    where id = :'id' and not share and revoked_at is null and (expires_at is null or expires_at > now())
    for update
)
update keys k
set expires_at = least(b.expires_at, now() + :'overlap'::interval)
from before b
where k.id = b.id
returning k.name, k.scopes, k.sites, b.expires_at, k.expires_at
