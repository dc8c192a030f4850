-- Record that an import was undone.
-- site_id, import_id: the import; now: the current time.
update imports
set undone_at = :'now'
where site_id = :'site_id' and import_id = :'import_id'
