-- Store the events of some messages; how many were there, and how many of them were new?
-- ids: the messages' ids; batch: a JSON array of all their events as the queue carries them.
-- A unique violation of settled_messages_pkey: one of them is settled already.
select received, stored
from store_messages(:'ids'::uuid[], :'batch'::jsonb)
