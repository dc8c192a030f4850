-- Which sites have months of what users did to be moved on?
-- target: the moment up to which they should be, as far as days (of UTC) are over then.
select site_id
from sites
where user_months_until < date_trunc('day', :'target'::timestamptz, 'UTC')
order by site_id
