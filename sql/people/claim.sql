-- Lock an erasure that is not done: whom is it about, and what did it do before, if it is done again? No row: it is done,
-- or there is none.
-- site_id: the site; erasure_id: the erasure.
select user_id, person, erased
from erasures
where site_id = :'site_id' and erasure_id = :'erasure_id' and done_at is null
for update
