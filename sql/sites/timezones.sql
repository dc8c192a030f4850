-- Which timezones may a site have?
select name
from timezones
order by name
