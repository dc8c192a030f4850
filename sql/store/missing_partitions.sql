-- Which of these times have no partition: of each day (UTC) the first and the last?
-- times: the times of events.
select distinct moment
from (
    select min(moment) as first, max(moment) as last
    from unnest(:'times'::timestamptz[]) moment
    group by date_trunc('day', moment, 'UTC')
) days
cross join lateral unnest(array[first, last]) moment
where not exists (select 1 from event_partitions where starts <= moment and ends > moment)
order by moment
