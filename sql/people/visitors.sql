-- A person's visitors.
-- site_id: the site; user_id: the person.
select visitor_id, linked_at
from visitors
where site_id = :'site_id' and user_id = :'user_id'
order by linked_at, visitor_id
