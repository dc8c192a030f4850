-- Correct the sessions that begin on these days from the events, and then their sums; see rebuild_days. Returns how
-- many rows were wrong.
create or replace function rebuild_sessions(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    gone sessions[];
    put sessions[];
    days right_session_day[];
    pages right_session_page_day[];
begin
    perform from sites s where s.site_id = site for update;

    select
        count(*),
        array_agg(
            (
                site, user_id, began, says_ended, says_entry_page, says_exit_page, says_events, says_views, says_agent,
                says_origin, says_carts, says_checkouts, says_new
            )::sessions
            order by user_id, began
        ) filter (where says_events is not null),
        array_agg(
            (
                site, user_id, began, ended, entry_page, exit_page, events, views, agent_number, origin_number, carts,
                checkouts, is_new
            )::sessions
            order by user_id, began
        ) filter (where events is not null)
    into corrected, gone, put
    from different_sessions(site, first_day, last_day);
    perform replace_sessions(site, gone, put);

    days := array(
        select (d.day, d.seconds, d.sessions, d.bounces, d.views, d.length)::right_session_day
        from different_session_days(site, first_day, last_day) d
    );
    pages := array(
        select (d.day, d.path, d.entries, d.exits)::right_session_page_day
        from different_session_page_days(site, first_day, last_day) d
    );

    set local plan_cache_mode = force_custom_plan;
    insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
    select site, r.day, r.seconds, r.sessions, r.bounces, r.views, r.length
    from unnest(days) r
    on conflict (site_id, day, seconds) do update set
        sessions = excluded.sessions,
        bounces = excluded.bounces,
        views = excluded.views,
        length = excluded.length;

    insert into session_page_days (site_id, day, path, entries, exits)
    select site, r.day, r.path, r.entries, r.exits
    from unnest(pages) r
    on conflict (site_id, day, path) do update set entries = excluded.entries, exits = excluded.exits;

    corrected := corrected + cardinality(days) + cardinality(pages);
end
$$;
