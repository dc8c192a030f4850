-- Which sites have a timezone?
-- timezone: its name; limit: how many sites.
select site_id
from sites
where timezone = :'timezone'
order by site_id
limit :'limit'
