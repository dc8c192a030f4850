-- Create the partitions of this week and the next two, so that a flush seldom has to.
-- now: the current time, or null for the database's clock.
select make_partition(present + weeks * interval '168 hours', present)
from (select coalesce(:'now'::timestamptz, now()) as present) p
cross join generate_series(0, 2) weeks
