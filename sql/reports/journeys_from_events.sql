-- Which pages did users view after or before a page, and how often did each sequence occur? From the events themselves.
-- site_id: the site; start, end: the range, half-open; filters: which events sessions are made of, see event_matches;
-- path: the page; direction: `from` the page or `to` it; steps: how many pages beyond it; limit: how many sequences.
--
-- Sessions are those of sessions_from_events.sql, and belong to the range in which they begin. The first view of the
-- page in a session counts. Consecutive views of the same page count as one.
with recursive visitors as materialized (
    select distinct user_id
    from events
    where site_id = :'site_id' and path = :'path' and event_type = 'page_view' and user_id is not null
        and event_time >= :'start'
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
),
last as (
    -- Their events in the last 30 minutes of the range, and then in the next 30 minutes, as long as there are any.
    select user_id, event_time, path, event_type, :'end'::timestamptz as seen_until
    from events
    where site_id = :'site_id' and user_id in (select user_id from visitors)
        and event_time >= :'end'::timestamptz - interval '30 minutes' and event_time < :'end'
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    union all
    select e.user_id, e.event_time, e.path, e.event_type, l.seen_until + interval '30 minutes'
    from (select distinct user_id, seen_until from last) l
    join events e on e.site_id = :'site_id' and e.user_id = l.user_id
        and e.event_time >= l.seen_until and e.event_time < l.seen_until + interval '30 minutes'
        and event_matches(e.event_type, e.path, e.user_id, e.visitor_id, e.properties, :'filters'::jsonb)
),
seen as (
    select user_id, event_time, path, event_type
    from events
    where site_id = :'site_id' and user_id in (select user_id from visitors)
        and event_time >= :'start'::timestamptz - interval '30 minutes'
        and event_time < :'end'::timestamptz - interval '30 minutes'
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    union all
    select user_id, event_time, path, event_type
    from last
),
placed as (
    select *, event_time - lag(event_time) over user_events < interval '30 minutes' is not true as begins
    from seen
    window user_events as (partition by user_id order by event_time, path)
),
told_apart as (
    select *, max(event_time) filter (where begins) over user_events as began
    from placed
    window user_events as (partition by user_id order by event_time, path rows unbounded preceding)
),
views as (
    select *, (began, path) is distinct from (lag(began) over user_views, lag(path) over user_views) as changes
    from told_apart
    where event_type = 'page_view'
    window user_views as (partition by user_id order by event_time, path)
),
sessions as (
    select user_id, array_agg(path order by event_time, path) as pages
    from views
    where changes and began >= :'start' and began < :'end'
    group by user_id, began
),
journeys as (
    select
        user_id,
        case :'direction'
            when 'from' then pages[place:place + :'steps'::integer]
            else pages[greatest(place - :'steps'::integer, 1):place]
        end as pages
    from (select *, array_position(pages, :'path') as place from sessions) found
    where place is not null
),
sequences as (
    select pages, count(*) as sessions, count(distinct user_id) as users
    from journeys
    group by pages
    order by sessions desc, pages
    limit :'limit'
)
select
    (select count(*) from journeys) as sessions,
    (select count(distinct user_id) from journeys) as users,
    (
        select count(*)
        from events
        where site_id = :'site_id' and path = :'path' and event_type = 'page_view' and user_id is null
            and event_time >= :'start' and event_time < :'end'
            and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
    ) as anonymous,
    (select coalesce(jsonb_agg(sequences order by sessions desc, pages), '[]') from sequences) as sequences
