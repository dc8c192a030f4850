-- How many unique users did a site have in a range, and how many events without a user? From the events themselves.
-- site_id: the site; start, end: the range, half-open; filters: see event_matches; users: only users whose events match
-- these filters, so that an index can be used; null: all.
with events_of_users as (
    select user_id, count(*) as events
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and (:'users'::text[] is null or user_id = any (:'users'::text[]))
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    group by user_id
)
select count(user_id) as users, coalesce(sum(events) filter (where user_id is null), 0)::bigint as anonymous
from events_of_users
