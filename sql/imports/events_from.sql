-- From when on does a site have events that have not expired (null: nothing has expired)? The site is locked until the
-- end of the transaction, as by writers.
-- site_id: the site.
select events_from
from sites
where site_id = :'site_id'
for update
