-- Write top_paths for the site's next finished day that has events but no row, or an outdated one: is there more to do?
-- site_id: the site; target: only days that are over at this moment.
select unfinished
from advance_top_paths(:'site_id', :'target')
