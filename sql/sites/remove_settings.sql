-- Remove the registration of a site; its data stay. site_id: the site.
delete from site_settings where site_id = :'site_id'
