-- Store a new key. Parameters: id, hash, prefix, name, scopes, sites, share, password, by, expires.
insert into keys (id, hash, prefix, name, scopes, sites, share, password, created_by, expires_at)
values (
    :'id', :'hash', :'prefix', :'name', :'scopes'::text[], :'sites'::text[], :'share', :'password', :'by',
    :'expires'::timestamptz
)
