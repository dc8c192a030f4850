-- When was a message settled last, of those that were more than an hour ago? Null: there is none.
-- now: the present, or null for the database's clock.
select max(settled_at) as settled_at
from settled_messages
where settled_at < coalesce(:'now'::timestamptz, now()) - interval '1 hour'
