-- Which user numbers of a site are used twice?
-- site_id: the site; most: how many to show.
select json_build_object('user_no', user_no) as key, count(*) as says, 1 as should, count(*) over () as differences
from users
where site_id = :'site_id'
group by user_no
having count(*) > 1
order by user_no
limit :'most'
