-- Make the partitions of this week and the next two, so that a flush seldom has to.
select make_partition(now() + weeks * interval '1 week')
from generate_series(0, 2) weeks
