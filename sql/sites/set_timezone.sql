-- Set a site's timezone and make its rollups anew by it; which one was it before? Null: there is no such site.
-- site_id: the site; timezone: its new one, a name in timezones.
select before
from set_timezone(:'site_id', :'timezone')
