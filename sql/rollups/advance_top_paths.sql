-- Write the top paths of a site's next day that has events and none; is there more to do?
-- site_id: the site; target: the moment up to which they should be, as far as days are over then.
select unfinished
from advance_top_paths(:'site_id', :'target')
