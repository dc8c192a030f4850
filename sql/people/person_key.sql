-- The key of a site's hashes of people; null: it has none yet. No row: there is no such site.
-- site_id: the site.
select person_key
from sites
where site_id = :'site_id'
