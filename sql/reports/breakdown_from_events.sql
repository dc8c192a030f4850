-- Which paths, event types, users or values of a property had the most events in a range? From the events themselves.
-- site_id: the site; start, end: the range, half-open; dimension: path, event_type, user_id, or anything else for the
-- property at the path in the array `property`; filters: see event_matches; users: only users whose events match these
-- filters, so that an index can be used; null: all. rows: the values that match the regular expression `search` (empty:
-- all) and are in the array `only` (empty: all), at most `limit` of them; values: how many there are. without_value:
-- events whose value is null.
with groups as materialized (
    select
        case :'dimension'
            when 'path' then path
            when 'event_type' then event_type
            when 'user_id' then user_id
            else properties #>> :'property'::text[]
        end as value,
        count(*) as events
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and (:'users'::text[] is null or user_id = any (:'users'::text[]))
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    group by 1
),
found as (
    select value, events
    from groups
    where value is not null
        and (:'search' = '' or value ~ :'search') and (:'only'::text[] = '{}' or value = any (:'only'::text[]))
),
top as (
    select value, events
    from found
    order by events desc, value collate "C"
    limit :'limit'
)
select
    (select coalesce(sum(events), 0)::bigint from groups) as events,
    coalesce((select events from groups where value is null), 0) as without_value,
    (select count(*) from found) as values,
    (select coalesce(jsonb_agg(top order by events desc, value collate "C"), '[]') from top) as rows
