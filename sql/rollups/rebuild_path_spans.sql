-- Make a site's spans of paths what its path_days say; how many rows were not right?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select corrected
from rebuild_path_spans(:'site_id', :'first_day', :'last_day')
