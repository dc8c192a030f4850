-- Before which moment are a site's events expired by its own retention_days? Null: it has none that counts.
-- site_id: the site; days: RETENTION_DAYS, or null; now: the current time, or null for the database's clock.
select site_expires_until(:'site_id', :'days'::integer, coalesce(:'now'::timestamptz, now()))
