-- Which numbered users of a site have no events?
-- site_id: the site; most: how many to show.
select json_build_object('user_id', user_id) as key, 1 as says, 0 as should, count(*) over () as differences
from idle_users(:'site_id')
order by user_id
limit :'most'
