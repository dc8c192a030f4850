-- Store a batch of events; how many did it hold, and how many of them were new?
-- batch: a JSON array of events as the queue carries them; now: the present, or null for the clock of the database.
select received, stored
from store_events(:'batch'::jsonb, coalesce(:'now'::timestamptz, now()))
