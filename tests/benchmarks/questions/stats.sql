-- How many page views and how many different users?
select count(*) filter (where event_type = 'page_view'), count(distinct user_id)
from events
where site_id = 'shop-0' and event_time >= $first and event_time < $end
