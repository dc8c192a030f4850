-- Drop the oldest partition of events that are no longer kept: which one was it? Null: there is none to drop now.
select drop_oldest_partition()
