-- Replace the sessions in `gone` by those in `put`, and update their sums. The caller has locked the site. Which session
-- is its person's first is found here, whatever `put` says.
create or replace function replace_sessions(site varchar, gone sessions[], put sessions[]) returns void
language plpgsql
set plan_cache_mode = force_custom_plan
as $$
declare
    people varchar[]; -- whose sessions change
    firsts timestamptz[]; -- of each the begin of the first session that is put; null: none is
    stayed timestamptz[];
begin
    delete from sessions s
    using unnest(gone) g
    where s.site_id = site and s.user_id = g.user_id and s.began = g.began;

    select array_agg(c.user_id order by c.user_id), array_agg(c.began order by c.user_id)
    into people, firsts
    from (
        select user_id, min(began) filter (where is_put) as began
        from (
            select p.user_id, p.began, true as is_put from unnest(put) p
            union all
            select g.user_id, g.began, false from unnest(gone) g
        ) changed
        group by user_id
    ) c;
    -- Of the people whose sessions change, the first one that stays.
    select array_agg(s.began order by c.place)
    into stayed
    from unnest(people) with ordinality c (user_id, place)
    cross join lateral (
        select min(o.began) as began from sessions o where o.site_id = site and o.user_id = c.user_id
    ) s;
    update sessions s
    set is_new = coalesce(f.stayed < f.put, true)
    from unnest(people, stayed, firsts) f (user_id, stayed, put)
    where s.site_id = site and s.user_id = f.user_id and s.began = f.stayed
        and s.is_new is distinct from coalesce(f.stayed < f.put, true);
    insert into sessions (
        site_id, user_id, began, ended, entry_page, exit_page, events, views, agent_number, origin_number, carts, checkouts,
        is_new
    )
    select
        site, p.user_id, p.began, p.ended, p.entry_page, p.exit_page, p.events, p.views, p.agent_number, p.origin_number,
        p.carts, p.checkouts, p.began = f.put and coalesce(f.put < f.stayed, true)
    from unnest(put) p
    join unnest(people, stayed, firsts) f (user_id, stayed, put) on f.user_id = p.user_id;

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
