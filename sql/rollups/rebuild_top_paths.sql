-- Mark a site's top_paths that differ from path_days as outdated, for maintenance to write them again: how many were
-- there?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select corrected
from rebuild_top_paths(:'site_id', :'first_day', :'last_day')
