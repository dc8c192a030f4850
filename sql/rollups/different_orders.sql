-- For which orders of a site does the table orders name a different event than the events themselves, and in which
-- columns do they differ?
-- site_id: the site; most: how many to show.
select
    json_build_object(
        'order', order_key,
        'in', array_remove(array[
            case when says_time is distinct from event_time then 'event_time' end,
            case when says_id is distinct from event_id then 'event_id' end
        ], null)
    ) as key,
    case when says_id is not null then 1 end as says,
    case when event_id is not null then 1 end as should,
    count(*) over () as differences
from different_orders(:'site_id')
order by order_key
limit :'most'
