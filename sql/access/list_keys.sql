-- All keys, the newest first. Parameter: id, of one only, or null.
select id, prefix, name, scopes, sites, share, password is not null as with_password, created_by, created_at, expires_at,
    last_used_at, revoked_at
from keys
where :'id'::uuid is null or id = :'id'::uuid
order by created_at desc, id
