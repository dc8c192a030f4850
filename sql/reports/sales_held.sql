-- Do the rollups of orders and refunds have all of a site's from a moment on?
-- site_id: the site; start: the moment.
select not exists (select 1 from sites where site_id = :'site_id' and sales_from > :'start') as held
