-- Store a login. Parameters: hash, key; lasts, an interval.
insert into logins (hash, key_id, ends_at) values (:'hash', :'key', now() + :'lasts'::interval)
