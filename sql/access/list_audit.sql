-- What was done, the newest first. Parameters: before, an id or null; limit.
select id, at, actor, action, details
from audit
where :'before'::bigint is null or id < :'before'::bigint
order by id desc
limit :'limit'
