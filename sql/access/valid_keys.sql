-- The keys that are valid now, as ingestion needs them.
select encode(hash, 'hex') as hash, id, name, scopes, sites, share, expires_at
from keys
where revoked_at is null and (expires_at is null or expires_at > now())
order by hash
