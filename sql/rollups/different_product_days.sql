-- Which rows of product_days differ from a site's events, how many orders does each have, and in which columns do they
-- differ?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_build_object(
        'day', day, 'currency', currency, 'product', product, 'name', name,
        'in', array_remove(array[
            case when says is distinct from should then 'orders' end,
            case when says_quantity is distinct from d.quantity then 'quantity' end,
            case when says_revenue is distinct from d.revenue then 'revenue' end
        ], null)
    ) as key,
    says,
    should,
    count(*) over () as differences
from different_product_days(:'site_id', :'first_day', :'last_day') d
order by day, currency, product_key
limit :'most'
