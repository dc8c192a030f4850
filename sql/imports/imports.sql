-- Which imports does a site have, the newest first?
-- site_id: the site; import_id: only this import, or null for all.
select
    import_id, files, options, began_at, ended_at, rows as read, sent, first_time, last_time, messages, undone_at
from imports
where site_id = :'site_id' and (:'import_id'::text is null or import_id = :'import_id')
order by began_at desc, import_id
