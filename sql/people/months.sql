-- A person's packed events by month: numbers of event types, and times.
-- site_id: the site; user_id: the person.
select month, kinds, moments
from user_months
where site_id = :'site_id' and user_id = :'user_id'
order by month, user_id
