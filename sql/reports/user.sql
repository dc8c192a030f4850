-- When was a user of a site first and last seen, and how many events of each type are there of them, ever?
-- site_id: the site; user_id: the user. No row if there is none.
with types as (
    select event_type, count(*) as events, min(event_time) as first_seen, max(event_time) as last_seen
    from events
    where site_id = :'site_id' and user_id = :'user_id'
    group by event_type
)
select
    min(first_seen) as first_seen,
    max(last_seen) as last_seen,
    sum(events)::bigint as total_events,
    jsonb_object_agg(event_type, events) as by_type
from types
having count(*) > 0
