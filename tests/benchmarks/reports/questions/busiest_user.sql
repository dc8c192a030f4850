-- Which user has most events?
select user_id
from events
where site_id = 'shop-0' and user_id is not null
group by 1
order by count(*) desc, 1
limit 1
