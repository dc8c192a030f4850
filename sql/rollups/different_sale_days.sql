-- Which rows of sale_days differ from a site's events, how many events does each have, and in which columns do they
-- differ?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_build_object(
        'day', day, 'what', what, 'outcome', outcome, 'currency', currency,
        'in', array_remove(array[
            case when says is distinct from should then 'events' end,
            case when says_amount is distinct from d.amount then 'amount' end
        ], null)
    ) as key,
    says,
    should,
    count(*) over () as differences
from different_sale_days(:'site_id', :'first_day', :'last_day') d
order by day, what, outcome, currency
limit :'most'
