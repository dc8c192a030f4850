-- The orders that count by an event of a person. Of orders whose events have expired nobody knows whose they are.
-- site_id: the site; user_id: the person.
select o.order_key, o.event_time, o.event_id
from orders o
join events e on e.site_id = :'site_id' and e.event_id = o.event_id and e.event_time = o.event_time
where o.site_id = :'site_id' and e.user_id = :'user_id'
order by o.event_time, o.event_id
