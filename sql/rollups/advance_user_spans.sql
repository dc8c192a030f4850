-- Move a site's spans of users on towards a moment, by a day that has users; is there more to do?
-- site_id: the site; target: the moment.
select unfinished
from advance_user_spans(:'site_id', :'target')
