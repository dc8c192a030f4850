-- Advance a site's path_spans towards a moment, by one five-day span that has events: is there more to do?
-- site_id: the site; target: the moment.
select unfinished
from advance_path_spans(:'site_id', :'target')
