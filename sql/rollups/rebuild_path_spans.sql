-- Correct a site's path_spans from path_days: how many rows were wrong?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select corrected
from rebuild_path_spans(:'site_id', :'first_day', :'last_day')
