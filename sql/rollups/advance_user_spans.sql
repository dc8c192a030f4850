-- Advance a site's user_spans towards a moment, by one day that has users: is there more to do?
-- site_id: the site; target: the moment.
select unfinished
from advance_user_spans(:'site_id', :'target')
