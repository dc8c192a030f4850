-- When was a user of a site first and last seen, how many events of each type do they have, and which visitors are they?
-- site_id: the site; user_id: the user; most: of how many visitors, the last ones first. kept_from: from when on the events are counted, if the user had events that
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
    (select kept_from from known) as kept_from,
    array(
        select v.visitor_id
        from visitors v
        where v.site_id = :'site_id' and v.user_id = :'user_id'
        order by v.linked_at desc, v.visitor_id
        limit :'most'
    ) as visitors
from types
having count(*) > 0
