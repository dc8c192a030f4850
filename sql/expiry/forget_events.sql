-- Say that events older than so many days are no longer kept, as far as they fill whole partitions.
-- days: how many; now: the present, or null for the database's clock.
select forget_events_before(
    coalesce(:'now'::timestamptz, now()) - make_interval(hours => 24 * :'days'::integer),
    coalesce(:'now'::timestamptz, now())
)
