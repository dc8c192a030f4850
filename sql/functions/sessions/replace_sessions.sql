-- Replace the sessions in `gone` by those in `put`, and update their sums. The caller has locked the site.
create or replace function replace_sessions(site varchar, gone sessions[], put sessions[]) returns void
language plpgsql
set plan_cache_mode = force_custom_plan
as $$
begin
    delete from sessions s
    using unnest(gone) g
    where s.site_id = site and s.user_id = g.user_id and s.began = g.began;

    insert into sessions (site_id, user_id, began, ended, entry_page, exit_page, events, views)
    select site, user_id, began, ended, entry_page, exit_page, events, views
    from unnest(put);

    with changes as materialized (
        select c.*, (c.began at time zone s.timezone)::date as day
        from sites s
        cross join (
            select 1 as sign, p.* from unnest(put) p
            union all
            select -1, g.* from unnest(gone) g
        ) c
        where s.site_id = site
    ),
    days as (
        insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
        select
            site, day, floor(date_part('epoch', ended - began))::integer,
            sum(sign), sum(sign * (events = 1)::integer), sum(sign * views), sum(sign * (ended - began))
        from changes
        group by 2, 3
        on conflict (site_id, day, seconds) do update set
            sessions = session_days.sessions + excluded.sessions,
            bounces = session_days.bounces + excluded.bounces,
            views = session_days.views + excluded.views,
            length = session_days.length + excluded.length
    )
    insert into session_page_days (site_id, day, path, entries, exits)
    select site, day, path, sum(entries), sum(exits)
    from (
        select day, entry_page as path, sign as entries, 0 as exits from changes
        union all
        select day, exit_page, 0, sign from changes
    ) pages
    group by 2, 3
    on conflict (site_id, day, path) do update set
        entries = session_page_days.entries + excluded.entries,
        exits = session_page_days.exits + excluded.exits;
end
$$;
