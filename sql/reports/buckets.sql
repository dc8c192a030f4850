-- Which buckets does a range have? The first and the last may be partial.
-- start, end: the range, half-open; interval: minute, hour, day, week or month of timezone; step: no longer than the
-- shortest bucket.
select at
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone')
order by at
