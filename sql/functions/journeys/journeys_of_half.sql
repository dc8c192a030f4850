-- Which pages did half of a site's users view after or before a page in their sessions, and how often did each sequence
-- occur? It runs once per half, so that parallel processes can share the work: PostgreSQL cannot split it, as it is one
-- index lookup after another.
--
-- page: the page; direction: `from` the page or `to` it; steps: how many pages beyond it; covered_until, open_sessions:
-- see sql/reports/open_sessions.sql; half: 0 or 1. The row without pages counts all sessions with the page, and the
-- page's views without a user, which belong to half 0.
--
-- A session belongs to the range in which it begins. The first view of the page in a session counts. Consecutive views
-- of the same page count as one.
create or replace function journeys_of_half(
    site varchar, range_start timestamptz, range_end timestamptz, page text, direction text, steps integer,
    covered_until timestamptz, open_sessions sessions[], half integer
)
returns table (pages text[], sessions bigint, users bigint, anonymous bigint)
language plpgsql stable parallel safe
cost 8000000
rows 10000
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    with views as materialized (
        select user_id, event_time
        from events
        where site_id = site and path = page and event_type = 'page_view' and event_time >= range_start
            and coalesce(hashtext(user_id) & 1, 0) = half
    ),
    seen as materialized (
        select user_id, event_time
        from views
        where user_id is not null
        -- Read neighbouring entries of the index on sessions together.
        order by user_id
    ),
    -- A view belongs to the last session that began before or at it.
    having_it as materialized (
        select user_id, began, ended, min(event_time) as first_seen
        from (
            select seen.user_id, s.began, s.ended, seen.event_time
            from seen
            cross join lateral (
                select began, ended
                from sessions
                where site_id = site and user_id = seen.user_id and began <= seen.event_time
                order by began desc
                limit 1
            ) s
            where s.ended >= seen.event_time
                and not (
                    s.ended > covered_until - interval '30 minutes'
                    and (seen.user_id, s.began) in (select o.user_id, o.began from unnest(open_sessions) o)
                )
            union all
            select seen.user_id, o.began, o.ended, seen.event_time
            from seen
            join unnest(open_sessions) o on o.user_id = seen.user_id and seen.event_time between o.began and o.ended
        ) found
        where began >= range_start and began < range_end
        group by user_id, began, ended
        order by user_id, began -- for the index on events, as above
    ),
    viewed as (
        select
            s.user_id,
            s.began,
            v.event_time,
            v.path,
            v.path is distinct from lag(v.path) over (
                partition by s.user_id, s.began order by v.event_time, v.path
            ) as changes
        from having_it s
        join events v on v.site_id = site and v.user_id = s.user_id and v.event_type = 'page_view'
            and v.event_time >= range_start -- lets the planner prune partitions; the next condition does not
            and v.event_time >= case direction when 'from' then s.first_seen else s.began end
            and v.event_time <= case direction when 'from' then s.ended else s.first_seen end
    ),
    journeys as (
        select
            user_id,
            case direction
                when 'from' then pages[place:place + steps]
                else pages[greatest(place - steps, 1):place]
            end as pages
        from (
            select user_id, pages, array_position(pages, page) as place
            from (
                select user_id, array_agg(path order by event_time, path) as pages
                from viewed
                where changes
                group by user_id, began
            ) in_sessions
        ) placed
    )
    select pages, sum(of_user)::bigint, count(*), null
    from (select pages, user_id, count(*) as of_user from journeys group by pages, user_id) of_users
    group by pages
    union all
    select
        null, count(*), count(distinct user_id),
        (select count(*) from views where user_id is null and event_time < range_end)
    from journeys;
end
$$;
