-- Move a site's spans of paths on towards a moment, by five days or so that have events; is there more to do?
-- site_id: the site; target: the moment.
select unfinished
from advance_path_spans(:'site_id', :'target')
