-- Which sites have days that are over and no top paths yet, or outdated ones?
-- target: the moment up to which they should be, as far as days are over then.
-- A site whose timezone cannot be used is among them: to move it on says what is wrong.
select site_id
from sites s
where (top_paths_until < (:'target'::timestamptz at time zone usable_timezone(timezone))::date is not false)
    or exists (select 1 from top_paths t where t.site_id = s.site_id and t.outdated)
order by site_id
