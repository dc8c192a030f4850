-- Move a site's sessions on towards a moment, by about so many events at most; is there more to do?
-- site_id: the site; target: the moment; most: how many events.
select unfinished
from advance_sessions(:'site_id', :'target', :'most')
