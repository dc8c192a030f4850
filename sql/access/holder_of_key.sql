-- Whom a valid key stands for, and until when. Parameter: hash.
select id, name, scopes, sites, share, expires_at
from keys
where hash = :'hash' and revoked_at is null and (expires_at is null or expires_at > now())
