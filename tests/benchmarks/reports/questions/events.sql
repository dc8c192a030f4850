-- Which hundred events are the newest, in order?
select row_number() over (order by event_time desc, event_id desc), event_id, event_type, path, user_id, {micros}
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end}
order by event_time desc, event_id desc
limit 100
