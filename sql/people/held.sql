-- Is this user the pseudonym of somebody who was erased before: when, and until when is what they sent caught?
-- site_id: the site; user_id: the user.
select min(erased_at), min(ends_at)
from erased_people
where site_id = :'site_id' and pseudonym = :'user_id'
having count(*) > 0
