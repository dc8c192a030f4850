-- Make the events by which a site's orders count what its events say; how many were not right?
-- site_id: the site.
select corrected
from rebuild_orders(:'site_id')
