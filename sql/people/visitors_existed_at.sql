-- When did this database learn of visitors?
select applied_at
from migrations
where name like '0013%'
order by name
limit 1
