-- When was a user of a site first and last seen, and how many events of each type do they have?
-- site_id: the site; user_id: the user. kept_from: from when on the events are counted, if the user had events that
-- have expired. No row: there is no such user.
with types as (
    select event_type, count(*) as events, min(event_time) as first_seen, max(event_time) as last_seen
    from events
    where site_id = :'site_id' and user_id = :'user_id'
    group by event_type
),
known as (
    select u.first_seen, case when u.first_seen < s.events_from then s.events_from end as kept_from
    from users u
    join sites s on s.site_id = :'site_id'
    where u.site_id = :'site_id' and u.user_id = :'user_id'
)
select
    least(min(first_seen), (select first_seen from known)) as first_seen,
    max(last_seen) as last_seen,
    sum(events)::bigint as total_events,
    jsonb_object_agg(event_type, events) as by_type,
    (select kept_from from known) as kept_from
from types
having count(*) > 0
