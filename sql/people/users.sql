-- A person's row in users.
-- site_id: the site; user_id: the person.
select user_no, first_seen
from users
where site_id = :'site_id' and user_id = :'user_id'
