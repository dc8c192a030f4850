-- Which sessions of a site begin in a range? Computed from the events before seen_until that match the filters
-- (event_matches). Recounts compare the rollup with it; reports with filters that the rollup cannot answer use it.
--
-- It reads the 30 minutes before the range to see whether a session begins in it, and follows the last sessions past
-- its end.
create or replace function sessions_in(
    site varchar, range_start timestamptz, range_end timestamptz, seen_until timestamptz, filters jsonb
)
returns table (
    user_id varchar, began timestamptz, ended timestamptz, entry_page text, exit_page text, events integer, views integer
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
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
        where site_id = site and user_id is not null
            and event_time >= range_start - interval '30 minutes' and event_time < least(range_end, seen_until)
            and event_matches(event_type, path, user_id, visitor_id, properties, filters)
        window user_events as (partition by user_id order by event_time, path rows unbounded preceding)
    ),
    -- From here on only the first and the last event of each session are needed; they may be the same.
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
            case when ends then viewed::integer else next_views - views + viewed::integer end as views
        from edges
        where begins and event_time >= range_start
    ),
    -- An event within 30 minutes of a session's last event extends the session; repeat.
    going_on as (
        select user_id, began, ended, entry_page, exit_page, events, views
        from begun
        where ended > range_end - interval '30 minutes'
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
            where site_id = site and user_id = g.user_id
                and event_time > g.ended and event_time < least(g.ended + interval '30 minutes', seen_until)
                and event_matches(event_type, path, user_id, visitor_id, properties, filters)
            having count(*) > 0
        ) later
    )
    select user_id, began, ended, entry_page, exit_page, events::integer, views::integer
    from begun
    where ended <= range_end - interval '30 minutes'
    union all
    (
        select distinct on (user_id) user_id, began, ended, entry_page, exit_page, events::integer, views::integer
        from going_on
        order by user_id, ended desc
    );
end
$$;
