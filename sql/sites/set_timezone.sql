-- Set a site's timezone and rebuild its rollups: what was its timezone before? Null: there is no such site.
-- site_id: the site; timezone: the new one, a name in timezones; now: the current time, or null for the database's clock.
select before
from set_timezone(:'site_id', :'timezone', coalesce(:'now'::timestamptz, now()))
