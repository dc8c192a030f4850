-- The erasures of a person that are not done yet.
-- site_id: the site; user_id: the person.
select erasure_id, asked_at, asked_by
from erasures
where site_id = :'site_id' and user_id = :'user_id'
order by asked_at, erasure_id
