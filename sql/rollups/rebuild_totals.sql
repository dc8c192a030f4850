-- Correct a site's totals from path_days and event_hours: how many rows were wrong?
-- site_id: the site.
select corrected
from rebuild_totals(:'site_id')
