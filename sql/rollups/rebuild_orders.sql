-- Correct which event of each order of a site counts: how many were wrong?
-- site_id: the site.
select corrected
from rebuild_orders(:'site_id')
