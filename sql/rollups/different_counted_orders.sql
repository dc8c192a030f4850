-- Which orders that count differ from a site's events, and in which columns?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_build_object(
        'event_time', to_char(event_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'event_id', event_id,
        'in', array_remove(array[
            case when says_user is distinct from d.user_id then 'user_id' end,
            case when says_currency is distinct from d.currency then 'currency' end,
            case when says_amount is distinct from d.amount then 'amount' end
        ], null)
    ) as key,
    case when says_counted then 1 end as says,
    case when counted then 1 end as should,
    count(*) over () as differences
from different_counted_orders(:'site_id', :'first_day', :'last_day') d
order by event_time, event_id
limit :'most'
