-- The orders that count by an event of a person. Those without an id have no key; of those whose events have expired
-- the amount is kept.
-- site_id: the site; user_id: the person.
select o.order_key, c.event_time, c.event_id, c.currency, trim_scale(c.amount)::text as amount
from counted_orders c
left join orders o on o.site_id = :'site_id' and o.event_time = c.event_time and o.event_id = c.event_id
where c.site_id = :'site_id' and c.user_id = :'user_id'
order by c.event_time, c.event_id
