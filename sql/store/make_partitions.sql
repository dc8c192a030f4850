-- Create the partitions that a batch of events needs and that are missing.
-- batch: a JSON array of events as the queue carries them; now: the current time, or null for the database's clock.
select make_partition(moment, coalesce(:'now'::timestamptz, now()))
from (
    select distinct on (date_trunc('day', e."timestamp", 'UTC')) e."timestamp" as moment
    from jsonb_to_recordset(:'batch'::jsonb) e ("timestamp" timestamptz)
) days
