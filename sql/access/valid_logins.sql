-- The logins that are valid now if their keys are, each with the hash of its key. Parameter: idle, an interval.
select encode(l.hash, 'hex') as hash, encode(k.hash, 'hex') as key, least(l.ends_at, l.seen_at + :'idle'::interval) as ends_at
from logins l
join keys k on k.id = l.key_id
where l.ends_at > now() and l.seen_at > now() - :'idle'::interval
order by l.hash
