-- Which buckets does a range have, the first and the last perhaps only in part?
-- start, end: the range, half-open; interval: minute, hour, day, week or month of timezone; step: an interval that is no
-- longer than the shortest bucket.
select at
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone')
order by at
