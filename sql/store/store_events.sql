-- Store a batch of events; how many did it hold, and how many of them were new?
-- batch: a JSON array of events as the queue carries them.
select received, stored
from store_events(:'batch'::jsonb)
