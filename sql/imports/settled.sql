-- How many of these messages are settled?
-- messages: their ids.
select count(*)
from settled_messages
where message_id = any (:'messages'::uuid[])
