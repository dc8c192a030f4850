-- Which sites are there?
select site_id
from sites
order by site_id
