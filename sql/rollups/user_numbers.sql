-- Which user numbers of a site are unused, or used twice?
-- site_id: the site; most: how many to show. (A full join, as it never uses a nested loop.)
select
    json_build_object('user_no', no) as key,
    count(u.user_id) as says,
    1 as should,
    count(*) over () as differences
from generate_series(0, (select max(user_no) from users where site_id = :'site_id')) no
full join (select user_id, user_no from users where site_id = :'site_id') u on u.user_no = no
group by no
having count(u.user_id) <> 1
order by no
limit :'most'
