-- In which currencies are a range's orders that count? Those with most orders first.
-- site_id: the site; start, end: the range.
select currency
from counted_orders
where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
group by currency
order by count(*) desc, currency
