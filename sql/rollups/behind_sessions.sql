-- In which sites do sessions lag?
-- target: they should have the events before this moment; an hour less is not lagging.
select site_id
from sites
where sessions_until < :'target'::timestamptz - interval '1 hour'
order by site_id
