-- Which events happened in a range, the newest first?
-- site_id: the site; start, end: the range, half-open; filters: see event_matches; users: only users whose events match
-- these filters, so that an index can be used; null: all; before_time, before_id: only events before this one; for the
-- first page the end of the range and 00000000-0000-0000-0000-000000000000; limit: how many.
select
    event_id, event_type, path, user_id, visitor_id, event_time, received_at, stored_at, properties::text as properties
from events
where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
    and event_time <= :'before_time' -- lets the planner prune partitions; the next condition does not
    and (event_time, event_id) < (:'before_time', :'before_id'::uuid)
    and (:'users'::text[] is null or user_id = any (:'users'::text[]))
    and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
order by event_time desc, event_id desc
limit :'limit'
