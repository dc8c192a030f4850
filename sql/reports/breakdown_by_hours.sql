-- Which event types had the most events in a range? From the rollup by hour.
-- site_id: the site; start, end: the range, both on hours of the site; filters: on event types, see event_matches.
-- rows: the values that match the regular expression `search` (empty: all) and are in the array `only` (empty: all), at
-- most `limit` of them; values: how many there are.
with groups as materialized (
    select event_type as value, sum(events)::bigint as events
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
    group by 1
),
found as (
    select value, events
    from groups
    where (:'search' = '' or value ~ :'search') and (:'only'::text[] = '{}' or value = any (:'only'::text[]))
),
top as (
    select value, events
    from found
    order by events desc, value collate "C"
    limit :'limit'
)
select
    (select coalesce(sum(events), 0)::bigint from groups) as events,
    (select count(*) from found) as values,
    (select coalesce(jsonb_agg(top order by events desc, value collate "C"), '[]') from top) as rows
