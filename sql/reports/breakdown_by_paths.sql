-- Which paths, or event types, had the most events in a range? From the rollups of paths.
-- site_id: the site; first_day, end_day: days of the site, half-open; the days from days_until to days_from are read as
-- the spans that begin and end on the days of the arrays span_firsts and span_ends; dimension: path or event_type;
-- filters: on event types and paths, see event_matches. rows: the values that match the regular expression `search`
-- (empty: all) and are in the array `only` (empty: all), at most `limit` of them; values: how many there are.
with recursive types as (
    -- The site's event types, which come first in the key of path_days.
    (select event_type from event_hours where site_id = :'site_id' order by event_type limit 1)
    union all
    select (
        select h.event_type
        from event_hours h
        where h.site_id = :'site_id' and h.event_type > t.event_type
        order by h.event_type
        limit 1
    )
    from types t
    where t.event_type is not null
),
parts as (
    select event_type, path, events
    from path_days
    where site_id = :'site_id' and event_type = any (array(select event_type from types))
        and day >= :'first_day' and day < :'days_until'
    union all
    select s.event_type, s.path, s.events
    from unnest(:'span_firsts'::date[], :'span_ends'::date[]) u (first_day, end_day)
    join path_spans s on s.site_id = :'site_id' and s.first_day = u.first_day and s.end_day = u.end_day
    union all
    select event_type, path, events
    from path_days
    where site_id = :'site_id' and event_type = any (array(select event_type from types))
        and day >= :'days_from' and day < :'end_day'
),
groups as materialized (
    select case :'dimension' when 'path' then path else event_type::text end as value, sum(events)::bigint as events
    from parts
    where event_matches(event_type, path, null, null, null, :'filters'::jsonb)
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
