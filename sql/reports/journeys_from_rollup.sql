-- Which pages did users view after or before a page, and how often each sequence of them? From the rollup of sessions and
-- the events of those that have the page.
-- site_id: the site; start, end: the range, half-open; path: the page; direction: from or to it; steps: how many pages
-- beyond it; limit: how many sequences; covered_until, open: see sessions_from_rollup.sql.
--
-- A session belongs to the range that it begins in. Of each that has the page, what counts is the first view of it. A
-- page viewed several times in a row is one.
with views as materialized (
    select user_id, event_time
    from events
    where site_id = :'site_id' and path = :'path' and event_type = 'page_view' and event_time >= :'start'
),
seen as materialized (
    select user_id, event_time
    from views
    where user_id is not null
    -- So that neighbours in the index of sessions are read together.
    order by user_id
),
-- The session that a view belongs to is the last that had begun by then.
having_it as materialized (
    select user_id, began, ended, min(event_time) as first_seen
    from (
        select seen.user_id, s.began, s.ended, seen.event_time
        from seen
        cross join lateral (
            select began, ended
            from sessions
            where site_id = :'site_id' and user_id = seen.user_id and began <= seen.event_time
            order by began desc
            limit 1
        ) s
        where s.ended >= seen.event_time
            and not (
                s.ended > :'covered_until'::timestamptz - interval '30 minutes'
                and (seen.user_id, s.began) in (select o.user_id, o.began from unnest(:'open'::sessions[]) o)
            )
        union all
        select seen.user_id, o.began, o.ended, seen.event_time
        from seen
        join unnest(:'open'::sessions[]) o on o.user_id = seen.user_id and seen.event_time between o.began and o.ended
    ) found
    where began >= :'start' and began < :'end'
    group by user_id, began, ended
    order by user_id, began -- for the index of events, as above
),
viewed as (
    select
        s.user_id,
        s.began,
        v.event_time,
        v.path,
        v.path is distinct from lag(v.path) over (partition by s.user_id, s.began order by v.event_time, v.path) as changes
    from having_it s
    join events v on v.site_id = :'site_id' and v.user_id = s.user_id and v.event_type = 'page_view'
        and v.event_time >= :'start' -- for the planner: it leaves out partitions by this, but not by the next
        and v.event_time >= case :'direction' when 'from' then s.first_seen else s.began end
        and v.event_time <= case :'direction' when 'from' then s.ended else s.first_seen end
),
journeys as (
    select
        user_id,
        case :'direction'
            when 'from' then pages[place:place + :'steps'::integer]
            else pages[greatest(place - :'steps'::integer, 1):place]
        end as pages
    from (
        select user_id, pages, array_position(pages, :'path') as place
        from (
            select user_id, array_agg(path order by event_time, path) as pages
            from viewed
            where changes
            group by user_id, began
        ) sessions
    ) placed
),
sequences as (
    select pages, sum(sessions)::bigint as sessions, count(*) as users
    from (select pages, user_id, count(*) as sessions from journeys group by pages, user_id) of_users
    group by pages
    order by sessions desc, pages
    limit :'limit'
)
select
    (select count(*) from journeys) as sessions,
    (select count(distinct user_id) from journeys) as users,
    (select count(*) from views where user_id is null and event_time < :'end') as anonymous,
    (select coalesce(jsonb_agg(sequences order by sessions desc, pages), '[]') from sequences) as sequences
