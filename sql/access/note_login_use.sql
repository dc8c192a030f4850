-- Logins were used; written once an hour. Parameter: hashes.
update logins set seen_at = now() where hash = any (:'hashes'::bytea[]) and seen_at < now() - interval '1 hour'
