-- Make a site's spans of users what its user_days say; how many rows were not right?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select corrected
from rebuild_user_spans(:'site_id', :'first_day', :'last_day')
