-- Delete logins that have ended. Parameter: idle, an interval.
delete from logins where ends_at <= now() or seen_at <= now() - :'idle'::interval
