-- How many of these messages are not processed yet?
-- ids: the messages' ids.
select count(*) as unsettled
from unnest(:'ids'::uuid[]) message (id)
where not exists (select 1 from settled_messages s where s.message_id = message.id)
