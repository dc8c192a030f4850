-- Whom a login stands for, while it and its key are valid, and until when at most. Parameters: hash; idle, an interval.
select k.id, k.name, k.scopes, k.sites, k.share, least(l.ends_at, k.expires_at)
from logins l
join keys k on k.id = l.key_id
where l.hash = :'hash' and l.ends_at > now() and l.seen_at > now() - :'idle'::interval
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
