-- Delete the oldest of a site's events that have expired by its own retention_days.
-- site_id: the site; days: RETENTION_DAYS, or null; most: how many, about; now: the current time, or null for the
-- database's clock.
select deleted, deleted_until, unfinished
from delete_oldest_events(:'site_id', :'days'::integer, coalesce(:'now'::timestamptz, now()), :'most'::integer)
