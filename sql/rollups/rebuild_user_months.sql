-- Correct a site's user_months from its events: how many rows were wrong?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select corrected
from rebuild_user_months(:'site_id', :'first_day', :'last_day')
