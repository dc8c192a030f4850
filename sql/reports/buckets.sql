-- Which buckets does a range have, the first and the last perhaps only in part?
-- start, end: the range, half-open; interval: minute, hour, day, week or month of timezone; step: an interval that is no
-- longer than the shortest bucket, so that none is left out where clocks are changed.
select distinct date_trunc(:'interval', moment, :'timezone') as at
from (
    select generate_series(:'start'::timestamptz, :'end'::timestamptz - interval '1 microsecond', :'step'::interval) as moment
    union all
    select :'end'::timestamptz - interval '1 microsecond'
) moments
order by 1
