-- How many views on each day?
select {day}, count(*)
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end} and event_type = 'page_view'
group by 1
