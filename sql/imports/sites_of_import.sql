-- Which sites have an import with this id?
-- import_id: the import.
select site_id
from imports
where import_id = :'import_id'
