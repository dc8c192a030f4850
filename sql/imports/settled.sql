-- How many of these messages are processed?
-- messages: their ids.
select count(*)
from settled_messages
where message_id = any (:'messages'::uuid[])
