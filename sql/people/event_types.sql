-- What the numbers in user_months stand for.
-- site_id: the site.
select number, event_type
from event_types
where site_id = :'site_id'
