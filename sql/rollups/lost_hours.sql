-- Which events of a site are in its rollups, but no partition holds their time?
-- site_id: the site; first_day, last_day: about which days, or null for all.
select hours, events, first_hour, last_hour
from lost_hours(:'site_id', :'first_day', :'last_day')
