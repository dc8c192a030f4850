-- Make every partition that a batch of events needs and that is not there.
-- batch: a JSON array of events as the queue carries them.
select make_partition(moment)
from (
    select distinct on (date_trunc('day', e."timestamp", 'UTC')) e."timestamp" as moment
    from jsonb_to_recordset(:'batch'::jsonb) e ("timestamp" timestamptz)
) days
