-- Which timezone does a site have? No row: there is no such site.
-- site_id: the site.
select timezone
from sites
where site_id = :'site_id'
