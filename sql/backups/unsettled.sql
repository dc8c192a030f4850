-- Which of these messages are not settled?
select count(*) as unsettled
from unnest(:'ids'::uuid[]) message (id)
where not exists (select 1 from settled_messages s where s.message_id = message.id)
