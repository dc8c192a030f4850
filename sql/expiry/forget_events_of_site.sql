-- Announce the expiry of a site's events by its own retention_days, or take it back.
-- site_id: the site; days: RETENTION_DAYS, or null; now: the current time, or null for the database's clock.
select forget_events_of_site(:'site_id', :'days'::integer, coalesce(:'now'::timestamptz, now()))
