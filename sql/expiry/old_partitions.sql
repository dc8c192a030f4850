-- Which partitions of events end by a moment?
-- moment: the moment.
select name, starts, ends
from event_partitions
where ends <= :'moment'
order by ends
