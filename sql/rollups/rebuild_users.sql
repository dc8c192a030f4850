-- Make the counter of a site's users right, and their numbers too; how many rows were not right?
-- site_id: the site; renumber: whether users may lose their numbers, for a rebuild of all days.
select corrected
from rebuild_users(:'site_id', :'renumber')
