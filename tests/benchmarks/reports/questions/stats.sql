-- How many page views, how many different users, and which ten paths were viewed most?
select 'views', count(*)
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end} and event_type = 'page_view'
union all
select 'users', count(distinct user_id)
from events
where site_id = 'shop-0' and event_time >= {first} and event_time < {end}
union all
select path, views
from (
    select path, count(*) as views
    from events
    where site_id = 'shop-0' and event_time >= {first} and event_time < {end} and event_type = 'page_view'
    group by 1
    order by 2 desc, 1
    limit 10
) top
