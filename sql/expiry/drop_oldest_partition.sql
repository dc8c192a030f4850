-- Drop the oldest partition if its events have expired: which one was it? Null: none may be dropped now.
-- days: RETENTION_DAYS; now: the current time, or null for the database's clock.
select drop_oldest_partition(
    coalesce(:'now'::timestamptz, now()) - make_interval(hours => 24 * :'days'::integer),
    coalesce(:'now'::timestamptz, now())
)
