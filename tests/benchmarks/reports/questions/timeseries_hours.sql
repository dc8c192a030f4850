-- How many views in each hour, which is told by its first microsecond since 1970?
select {micros} - {micros} % 3600000000, count(*)
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end} and event_type = 'page_view'
group by 1
