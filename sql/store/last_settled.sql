-- When was a message settled last, of those that were more than an hour ago? Null: there is none.
-- now: the present.
select max(settled_at) as settled_at
from settled_messages
where settled_at < :'now'::timestamptz - interval '1 hour'
