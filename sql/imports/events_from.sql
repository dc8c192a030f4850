-- From when on are a site's events kept (null: all are)? It is held until the end of the transaction, as by whoever stores.
-- site_id: the site.
select events_from
from sites
where site_id = :'site_id'
for update
