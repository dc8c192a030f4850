-- Advance a site's sessions towards a moment: is there more to do?
-- site_id: the site; target: the moment; most: about how many events at most.
select unfinished
from advance_sessions(:'site_id', :'target', :'most')
