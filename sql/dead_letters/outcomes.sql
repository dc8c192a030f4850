-- What became of the dead letters that somebody asked to replay or to discard, as far as that was done?
-- ids: the letters' ids; request: the one that asked.
select state, count(*)
from dead_letters
where id = any(:'ids'::uuid[]) and changed_by = :'request'
group by state
