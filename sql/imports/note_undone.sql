-- Remember that an import was taken back.
-- site_id, import_id: which; now: when that is.
update imports
set undone_at = :'now'
where site_id = :'site_id' and import_id = :'import_id'
