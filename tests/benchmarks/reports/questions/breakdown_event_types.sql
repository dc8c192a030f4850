-- How many events and different users has each event type, and how many of its events name none?
select event_type, count(*), count(distinct user_id), count(*) - count(user_id)
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end}
group by 1
