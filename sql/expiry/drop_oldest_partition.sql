-- Drop the oldest partition of events that are no longer kept: which one was it? Null: there is none that may go now.
-- days: for how many days events are kept; now: the present, or null for the database's clock.
select drop_oldest_partition(
    coalesce(:'now'::timestamptz, now()) - make_interval(hours => 24 * :'days'::integer),
    coalesce(:'now'::timestamptz, now())
)
