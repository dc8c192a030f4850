-- Which pages, up to three, did users view after the page /products/0 in a session of sessions.sql, from its first view
-- on, and how many sessions and users had each sequence? A page viewed several times in a row is one.
with placed as (
    select
        *,
        micros - lag(micros, 1, 0) over in_order >= 1800000000 as begins
    from (
        select user_id, path, event_type, {micros} as micros, event_time < {end} as in_time, event_time >= {first} as asked
        from events
        where site_id = 'shop-0' and user_id is not null and event_time >= {first} - interval '30' minute
    ) sent
    window in_order as (partition by user_id order by micros, path)
),
numbered as (
    select
        *,
        sum(begins::int) over (partition by user_id order by micros, path rows unbounded preceding) as session
    from placed
),
told as (
    select *, bool_or(begins and in_time and asked) over (partition by user_id, session) as counts
    from numbered
),
views as (
    select *, lag(path) over (partition by user_id, session order by micros, path) as before
    from told
    where event_type = 'page_view' and counts
),
sessions as (
    select user_id, list(path order by micros, path) as pages
    from views
    where path is distinct from before
    group by user_id, session
),
journeys as (
    select user_id, pages[list_position(pages, '/products/0'):list_position(pages, '/products/0') + 3] as pages
    from sessions
    where list_contains(pages, '/products/0')
),
sequences as (
    select pages, count(*) as sessions, count(distinct user_id) as users
    from journeys
    group by pages
    order by sessions desc, pages
    limit 10
)
select 'all', count(*), count(distinct user_id) from journeys
union all
select 'anonymous', count(*), 0
from events
where site_id = 'shop-0' and path = '/products/0' and event_type = 'page_view' and user_id is null
    and event_time >= {first} and event_time < {end}
union all
select array_to_string(pages, ' > '), sessions, users from sequences
