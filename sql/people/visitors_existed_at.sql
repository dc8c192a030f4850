-- When did this database learn of visitors?
select min(applied_at)
from migrations
where name like '0013%'
