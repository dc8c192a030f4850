-- Keys were used; written once an hour. Parameter: ids.
update keys set last_used_at = now()
where id = any (:'ids'::uuid[]) and (last_used_at is null or last_used_at < now() - interval '1 hour')
