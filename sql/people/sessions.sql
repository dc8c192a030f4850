-- A person's sessions, the oldest first.
-- site_id: the site; user_id: the person.
select began, ended, entry_page, exit_page, events, views
from sessions
where site_id = :'site_id' and user_id = :'user_id'
order by began, user_id
