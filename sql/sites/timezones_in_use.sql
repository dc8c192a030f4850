-- Which timezones do sites have?
select distinct timezone
from sites
order by timezone
