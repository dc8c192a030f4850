-- When was the last message processed, of those more than an hour ago? Null: there is none.
-- now: the current time.
select max(settled_at) as settled_at
from settled_messages
where settled_at < :'now'::timestamptz - interval '1 hour'
