-- Which paths, or event types, had the most events in a range? From the rollups of paths.
-- site_id: the site; first_day, end_day: days of the site, half-open, of which those from days_until to days_from are the
-- spans that begin and end with the days of the arrays span_firsts and span_ends; dimension: path or event_type; filters:
-- of event types and paths, see event_matches. rows: of the values that match the regular expression search (empty: of
-- all) and are one of the array only (empty: all), so many as limit says; values: how many of them there are.
with recursive types as (
    -- Those that the site has: path_days is ordered by them first.
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
    where event_matches(event_type, path, null, null, :'filters'::jsonb)
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
