-- How many dead letters does a site have?
-- site_id: the site.
select count(*) as dead_letters
from dead_letters
where site_id = :'site_id'
