-- Move what a site's users did by months on towards a moment, by about so many events at most; is there more to do?
-- site_id: the site; target: the moment; most: how many events.
select unfinished
from advance_user_months(:'site_id', :'target', :'most')
