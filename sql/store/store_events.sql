-- Store a batch of events: how many did it have, and how many of them were new?
-- batch: a JSON array of events as the queue carries them; now: the current time, or null for the database's clock.
select received, stored
from store_events(:'batch'::jsonb, coalesce(:'now'::timestamptz, now()))
