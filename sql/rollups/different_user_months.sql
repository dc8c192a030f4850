-- Which rows of user_months differ from a site's events, and how many events does each have?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show. Only events of
-- these days are compared.
select
    json_build_object('user_id', user_id, 'month', month) as key,
    cardinality(says_moments) as says,
    cardinality(moments) as should,
    count(*) over () as differences
from different_user_months(:'site_id', :'first_day', :'last_day')
order by month, user_id
limit :'most'
