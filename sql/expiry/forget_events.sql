-- Announce the expiry of events older than this many days, as far as they fill whole partitions.
-- days: RETENTION_DAYS; now: the current time, or null for the database's clock.
select forget_events_before(
    coalesce(:'now'::timestamptz, now()) - make_interval(hours => 24 * :'days'::integer),
    coalesce(:'now'::timestamptz, now())
)
