-- Which sites have days that are over and no top paths yet?
-- target: the moment up to which they should be, as far as days are over then.
select site_id
from sites
where top_paths_until < (:'target'::timestamptz at time zone timezone)::date
order by site_id
