-- Which users of a site's events have no number?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select json_build_object('user_id', user_id) as key, 0 as says, 1 as should, count(*) over () as differences
from unnumbered_users(:'site_id', :'first_day', :'last_day')
order by user_id
limit :'most'
