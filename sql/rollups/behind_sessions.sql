-- Which sites have sessions to be moved on?
-- target: the moment up to which they should be; they may be an hour behind it.
select site_id
from sites
where sessions_until < :'target'::timestamptz - interval '1 hour'
order by site_id
