-- Of which orders of a site is another event the one that counts than its events say?
-- site_id: the site; most: how many to show of them.
select
    json_build_object(
        'order', order_key,
        'event_time', to_char(coalesce(event_time, says_time) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'event_id', coalesce(event_id, says_id)
    ) as key,
    (says_id = event_id and says_time = event_time)::integer as says,
    (event_id is not null)::integer as should,
    count(*) over () as differences
from different_orders(:'site_id')
order by order_key
limit :'most'
