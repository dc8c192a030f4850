-- Say that events older than so many days are no longer kept, as far as they fill whole partitions.
-- days: how many.
select forget_events_before(now() - make_interval(days => :'days'))
