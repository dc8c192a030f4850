-- Delete all that a site has: how many rows of which tables? No row: there is no such site.
-- site_id: the site.
select name, deleted
from delete_site(:'site_id')
