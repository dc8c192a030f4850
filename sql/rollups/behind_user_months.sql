-- In which sites do user_months lag?
-- target: they should have all days (of UTC) that are over at this moment.
select site_id
from sites
where user_months_until < date_trunc('day', :'target'::timestamptz, 'UTC')
order by site_id
