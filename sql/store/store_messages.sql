-- Store the events of some messages: how many were there, and how many of them were new?
-- ids: the messages' ids; batch: all their events in one JSON array as the queue carries them; now: the current time,
-- or null for the database's clock. A unique violation of settled_messages_pkey: one of the messages was processed
-- before.
select received, stored
from store_messages(:'ids'::uuid[], :'batch'::jsonb, coalesce(:'now'::timestamptz, now()))
