-- Delete a site's top paths that are not what its path_days say, for upkeep to write them anew; how many were there?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select corrected
from rebuild_top_paths(:'site_id', :'first_day', :'last_day')
