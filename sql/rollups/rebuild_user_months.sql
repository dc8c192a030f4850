-- Make what a site's users did by months what its events say; how many rows were not right?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select corrected
from rebuild_user_months(:'site_id', :'first_day', :'last_day')
