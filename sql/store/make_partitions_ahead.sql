-- Create the partitions of this week and the next two that are missing, so that a flush seldom has to.
-- now: the current time, or null for the database's clock.
select make_partition(moment, present)
from (select coalesce(:'now'::timestamptz, now()) as present) p
cross join generate_series(0, 2) weeks
cross join lateral (select present + weeks * interval '168 hours' as moment) m
where not exists (select 1 from event_partitions where starts <= moment and ends > moment)
