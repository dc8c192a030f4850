-- Which sites have days that are over and no top paths yet, or outdated ones?
-- target: the moment up to which they should be, as far as days are over then.
select site_id
from sites s
where top_paths_until < (:'target'::timestamptz at time zone timezone)::date
    or exists (select 1 from top_paths t where t.site_id = s.site_id and t.outdated)
order by site_id
