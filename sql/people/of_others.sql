-- Which of these visitors are another user's, or users themselves?
-- site_id: the site; user_id: the user; visitors: the visitors.
select visitor_id
from visitors
where site_id = :'site_id' and visitor_id = any (:'visitors'::text[]) and user_id <> :'user_id'
union
select user_id
from visitors
where site_id = :'site_id' and user_id = any (:'visitors'::text[])
union
select user_id
from events
where site_id = :'site_id' and user_id = any (:'visitors'::text[]) and visitor_id is distinct from user_id
