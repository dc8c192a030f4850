-- Advance a site's user_months towards a moment: is there more to do?
-- site_id: the site; target: the moment; most: about how many events at most.
select unfinished
from advance_user_months(:'site_id', :'target', :'most')
