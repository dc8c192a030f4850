-- Make a site's totals what its path_days and event_hours say; how many rows were not right?
-- site_id: the site.
select corrected
from rebuild_totals(:'site_id')
