-- How many different users on each day, and how many events that name none?
select {day}, count(distinct user_id), count(*) - count(user_id)
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end}
group by 1
