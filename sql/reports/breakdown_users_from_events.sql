-- How many unique users do the events with some values have, and how many of these events have no user? From the events
-- themselves.
-- site_id: the site; start, end: the range, half-open; dimension: path, event_type, user_id, or anything else for the
-- property at the path in the array `property`; filters: see event_matches; users: only users whose events match these
-- filters, so that an index can be used; null: all; only: the values; events without a value (null) are counted too.
with pairs as (
    select value, user_id, count(*) as events
    from (
        select
            case :'dimension'
                when 'path' then path
                when 'event_type' then event_type
                when 'user_id' then user_id
                else properties #>> :'property'::text[]
            end as value,
            user_id
        from events
        where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
            and (:'users'::text[] is null or user_id = any (:'users'::text[]))
            and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    ) matching
    where value is null or value = any (:'only'::text[])
    group by value, user_id
)
select value, count(user_id) as users, coalesce(sum(events) filter (where user_id is null), 0)::bigint as anonymous
from pairs
group by value
