-- How many sessions did a site have in a range, how were they, and at which pages did most of them begin and end?
-- site_id: the site; start, end: the range, half-open; filters: which events sessions are made of, see event_matches;
-- limit: how many pages.
--
-- A session is a user's events up to a silence of 30 minutes or more. It belongs to the range that it begins in: whether
-- one begins is told by the 30 minutes before, and the last ones go on after the end. Events of the same instant are
-- taken in order of their paths, as they are in the index that has all that is needed here.
with recursive placed as (
    select
        user_id,
        event_time,
        path,
        event_type = 'page_view' as viewed,
        event_time - lag(event_time) over user_events < interval '30 minutes' is not true as begins,
        lead(event_time) over user_events - event_time < interval '30 minutes' is not true as ends,
        row_number() over user_events as events,
        count(*) filter (where event_type = 'page_view') over user_events as views
    from events
    where site_id = :'site_id' and user_id is not null
        and event_time >= :'start'::timestamptz - interval '30 minutes' and event_time < :'end'
        and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
    window user_events as (partition by user_id order by event_time, path rows unbounded preceding)
),
-- Only the first and the last event of a session are needed from here on; they may be the same.
edges as (
    select
        *,
        lead(event_time) over user_events as next_time,
        lead(path) over user_events as next_path,
        lead(events) over user_events as next_events,
        lead(views) over user_events as next_views
    from placed
    where begins or ends
    window user_events as (partition by user_id order by event_time, path rows unbounded preceding)
),
begun as (
    select
        user_id,
        event_time as began,
        case when ends then event_time else next_time end as ended,
        path as entry_page,
        case when ends then path else next_path end as exit_page,
        case when ends then 1 else next_events - events + 1 end as events,
        case when ends then views else next_views end - views + viewed::integer as views
    from edges
    where begins and event_time >= :'start'
),
-- What is within 30 minutes of the last event goes on with the session, and so on.
going_on as (
    select user_id, began, ended, entry_page, exit_page, events, views
    from begun
    where ended > :'end'::timestamptz - interval '30 minutes'
    union all
    select g.user_id, g.began, later.ended, g.entry_page, later.exit_page, g.events + later.events, g.views + later.views
    from going_on g
    cross join lateral (
        select
            max(event_time) as ended,
            (array_agg(path order by event_time desc, path desc))[1] as exit_page,
            count(*) as events,
            count(*) filter (where event_type = 'page_view') as views
        from events
        where site_id = :'site_id' and user_id = g.user_id
            and event_time > g.ended and event_time < g.ended + interval '30 minutes'
            and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
        having count(*) > 0
    ) later
),
sessions as materialized (
    select *
    from begun
    where ended <= :'end'::timestamptz - interval '30 minutes'
    union all
    (select distinct on (user_id) * from going_on order by user_id, ended desc)
),
totals as (
    select
        count(*) as sessions,
        count(*) filter (where events = 1) as bounces,
        coalesce(sum(views), 0)::bigint as views,
        avg(date_part('epoch', ended - began)) as average_seconds,
        percentile_cont(0.5) within group (order by date_part('epoch', ended - began)) as median_seconds
    from sessions
),
entries as (
    select entry_page as path, count(*) as sessions
    from sessions
    group by entry_page
    order by sessions desc, path
    limit :'limit'
),
exits as (
    select exit_page as path, count(*) as sessions
    from sessions
    group by exit_page
    order by sessions desc, path
    limit :'limit'
)
select
    totals.*,
    (select count(*) from (select distinct user_id from sessions) users) as users,
    (
        select count(*)
        from events
        where site_id = :'site_id' and user_id is null and event_time >= :'start' and event_time < :'end'
            and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
    ) as anonymous,
    (select coalesce(jsonb_agg(entries order by sessions desc, path), '[]') from entries) as entry_pages,
    (select coalesce(jsonb_agg(exits order by sessions desc, path), '[]') from exits) as exit_pages
from totals
