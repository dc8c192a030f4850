-- How many sessions did a site have in a range, what were they like, and on which pages did most begin and end? From
-- the rollups.
-- site_id: the site; start, end: the range, both on hours of the site; limit: how many pages; covered_until, open: the
-- result of open_sessions.sql: sessions with the events that the rollup does not have yet, which replace stored ones
-- that began at the same time.
--
-- The median is found in two steps, which parallel processes can share; a sort of all sessions would run in one.
with found as not materialized (
    select
        user_id, began, entry_page, exit_page, events, views,
        ended - began as length, date_part('epoch', ended - began) as seconds
    from sessions
    where site_id = :'site_id' and began >= :'start' and began < :'end'
        and not (
            ended > :'covered_until'::timestamptz - interval '30 minutes'
            and (user_id, began) in (select o.user_id, o.began from unnest(:'open'::sessions[]) o)
        )
    union all
    select user_id, began, entry_page, exit_page, events, views, ended - began, date_part('epoch', ended - began)
    from unnest(:'open'::sessions[])
    where began >= :'start' and began < :'end'
),
lengths as materialized (
    select
        floor(seconds) as whole,
        count(*) as sessions,
        count(*) filter (where events = 1) as bounces,
        sum(views) as views,
        sum(length) as length
    from found
    group by 1
),
totals as (
    select
        coalesce(sum(sessions), 0)::bigint as sessions,
        coalesce(sum(bounces), 0)::bigint as bounces,
        coalesce(sum(views), 0)::bigint as views,
        date_part('epoch', sum(length)) / sum(sessions)::float as average_seconds
    from lengths
),
-- The length(s) in seconds of the one or two sessions in the middle, and how many sessions are shorter.
middle as materialized (
    select min(whole) as first, max(whole) as last, min(shorter) as shorter
    from (
        select whole, sessions, sum(sessions) over (order by whole) - sessions as shorter
        from lengths
    ) placed
    where shorter < (select sessions / 2 + 1 from totals) and shorter + sessions >= (select (sessions + 1) / 2 from totals)
),
median as (
    select avg(seconds) as median_seconds
    from (
        select seconds, row_number() over (order by seconds) + (select shorter from middle) as place
        from found
        where floor(seconds) between (select first from middle) and (select last from middle)
    ) ordered
    where place in ((select (sessions + 1) / 2 from totals), (select sessions / 2 + 1 from totals))
),
entries as (
    select entry_page as path, count(*) as sessions
    from found
    group by entry_page
    order by sessions desc, entry_page collate "C"
    limit :'limit'
),
exits as (
    select exit_page as path, count(*) as sessions
    from found
    group by exit_page
    order by sessions desc, exit_page collate "C"
    limit :'limit'
)
select
    totals.*,
    (select median_seconds from median) as median_seconds,
    (
        select count(*)
        from (
            select user_id
            from sessions
            where site_id = :'site_id' and began >= :'start' and began < :'end'
            group by user_id
        ) covered
    ) + (
        select count(distinct user_id)
        from unnest(:'open'::sessions[]) o
        where began >= :'start' and began < :'end'
            and not exists (
                select 1
                from sessions s
                where s.site_id = :'site_id' and s.user_id = o.user_id and s.began >= :'start' and s.began < :'end'
            )
    ) as users,
    (
        select coalesce(sum(anonymous), 0)::bigint
        from event_hours
        where site_id = :'site_id' and hour >= :'start' and hour < :'end'
    ) as anonymous,
    (select coalesce(jsonb_agg(entries order by sessions desc, path collate "C"), '[]') from entries) as entry_pages,
    (select coalesce(jsonb_agg(exits order by sessions desc, path collate "C"), '[]') from exits) as exit_pages
from totals
