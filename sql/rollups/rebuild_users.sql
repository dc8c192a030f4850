-- Correct the counter of a site's users, and their numbers: how many rows were wrong?
-- site_id: the site; renumber: whether users may lose their numbers, as part of a rebuild of all days.
select corrected
from rebuild_users(:'site_id', :'renumber')
