-- Merge events of a site with its stored sessions: which sessions result? The events are all events of a time range,
-- plus those in `others`; the sessions in `moved` are merged too. replaced: the stored sessions that a resulting session replaces.
create or replace function joined_sessions(
    site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[], moved sessions[] default '{}'
)
returns table (
    user_id varchar, began timestamptz, ended timestamptz, entry_page text, exit_page text, events integer, views integer,
    agent_number bigint, origin_number bigint, carts integer, checkouts integer,
    replaced sessions[]
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    with added as materialized (
        select user_id, event_time, path, event_type, agent_number, origin_number
        from events
        where site_id = site and user_id is not null and event_time >= range_start and event_time < range_end
        union all
        select user_id, event_time, path, event_type, agent_number, origin_number
        from unnest(others)
        where user_id is not null
    ),
    users as materialized (
        select user_id, min(first) as first, max(last) as last
        from (
            select user_id, event_time as first, event_time as last from added
            union all
            select user_id, began, ended from unnest(moved)
        ) a
        group by user_id
    ),
    -- The stored sessions that the events may belong to, and each event as a session of its own.
    pieces as (
        select
            s.user_id, s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views, s.agent_number, s.origin_number,
            s.carts, s.checkouts, s.is_new, true as is_stored
        from users
        join sessions s on s.site_id = site and s.user_id = users.user_id
            and s.began < users.last + interval '30 minutes' and s.ended > users.first - interval '30 minutes'
        union all
        select
            user_id, event_time, event_time, path, path, 1, (event_type = 'page_view')::integer, agent_number,
            origin_number, is_cart(event_type)::integer, is_checkout(event_type)::integer, false, false
        from added
        union all
        select
            user_id, began, ended, entry_page, exit_page, events, views, agent_number, origin_number, carts, checkouts,
            is_new, false
        from unnest(moved)
    ),
    -- Merge pieces that are less than 30 minutes apart.
    placed as (
        select
            *,
            began - max(ended) over (
                partition by user_id order by began, entry_page rows between unbounded preceding and 1 preceding
            ) < interval '30 minutes' is not true as begins
        from pieces
    ),
    told_apart as (
        select
            *,
            max(began) filter (where begins) over (
                partition by user_id order by began, entry_page rows unbounded preceding
            ) as session_began
        from placed
    )
    select
        user_id,
        session_began,
        max(ended),
        (array_agg(entry_page order by began, entry_page))[1],
        (array_agg(exit_page order by ended desc, exit_page desc))[1],
        sum(events)::integer,
        sum(views)::integer,
        (array_agg(agent_number order by began, entry_page, agent_number, origin_number))[1],
        (array_agg(origin_number order by began, entry_page, agent_number, origin_number))[1],
        sum(carts)::integer,
        sum(checkouts)::integer,
        array_agg(
            (
                site, user_id, began, ended, entry_page, exit_page, events, views, agent_number, origin_number, carts,
                checkouts, is_new
            )::sessions
            order by began
        ) filter (where is_stored)
    from told_apart
    group by user_id, session_began;
end
$$;
