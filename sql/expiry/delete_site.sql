-- Delete all data of a site: how many rows of which tables? No row: there is no such site.
-- site_id: the site.
select name, deleted
from delete_site(:'site_id')
