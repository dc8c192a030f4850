-- Correct a site's rollups from its events: how many rows were wrong?
-- site_id: the site; first_day, last_day: days of its timezone, both included.
select days.corrected + sessions.corrected + sales.corrected as corrected
from rebuild_days(:'site_id', :'first_day', :'last_day') days
cross join rebuild_sessions(:'site_id', :'first_day', :'last_day') sessions
cross join rebuild_sales(:'site_id', :'first_day', :'last_day') sales
