-- What did a user of a site do, the oldest event first?
-- site_id: the site; user_id: the user; start, end: the range, half-open; filters: see event_matches; time_after,
-- id_after: continue after this event, or null; limit: how many.
select event_id, event_type, path, visitor_id, event_time, received_at, properties
from events
where site_id = :'site_id' and user_id = :'user_id' and event_time >= :'start' and event_time < :'end'
    and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    and (
        :'time_after'::timestamptz is null
        or event_time >= :'time_after' and (event_time, event_id) > (:'time_after', :'id_after'::uuid)
    )
order by event_time, event_id
limit :'limit'
