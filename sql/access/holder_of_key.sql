-- Whom a valid key stands for. Parameter: hash.
select id, name, scopes, sites, share
from keys
where hash = :'hash' and revoked_at is null and (expires_at is null or expires_at > now())
