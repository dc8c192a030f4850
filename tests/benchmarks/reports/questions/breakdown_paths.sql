-- Which ten paths have most events?
select path, count(*)
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end}
group by 1
order by 2 desc, 1
limit 10
