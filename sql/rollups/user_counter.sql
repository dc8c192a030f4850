-- Is a site's counter of users, which is the next user's number, a number in use? It may be higher: a visitor who
-- became a user leaves their number.
-- site_id: the site; most: how many to show.
select json_build_object('column', 'users') as key, s.users as says, n.next_no as should, 1 as differences
from sites s
cross join (select coalesce(max(user_no) + 1, 0) as next_no from users where site_id = :'site_id') n
where s.site_id = :'site_id' and s.users < n.next_no
limit :'most'
