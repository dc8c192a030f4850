-- What are the states of the dead letters that a request has processed so far?
-- ids: the letters' ids; request: the request's id.
select state, count(*)
from dead_letters
where id = any(:'ids'::uuid[]) and changed_by = :'request'
group by state
