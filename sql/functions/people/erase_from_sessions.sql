-- Put the pseudonym in place of a person in the sessions, and new paths in place of old ones: in all sessions (everywhere),
-- or in the person's only. The events are changed already. The caller has locked the site. Returns the changed rows by
-- table.
create or replace function erase_from_sessions(
    site varchar, person varchar, pseudonym text, everywhere boolean, old_paths text[], new_paths text[], out erased jsonb
)
language plpgsql
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_variable
declare
    gone sessions[];
    put sessions[];
    others varchar[];
    step bigint;
begin
    others := array(
        select distinct e.user_id
        from events e
        where everywhere and e.site_id = site and e.path = any (new_paths) and e.user_id is not null
        order by e.user_id
    );
    -- Of events at the same moment the first and the last path count: another name may be another order.
    -- Not `gone := array(...)`: Citus would send the type of the variable, which a node has under another number.
    select array_agg(
        (
            s.site_id, s.user_id, s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views, s.agent_number,
            s.origin_number, s.carts, s.checkouts, s.is_new
        )::sessions
        order by s.user_id, s.began
    )
    into gone
    from sessions s
    where s.site_id = site and (
        s.user_id = person
        or everywhere and (
            s.entry_page = any (old_paths) or s.exit_page = any (old_paths)
            or s.user_id = any (others) and exists (
                select 1
                from events e
                where e.site_id = site and e.user_id = s.user_id and e.event_time in (s.began, s.ended)
                    and e.path = any (new_paths)
            )
        )
    );
    gone := coalesce(gone, '{}');
    select array_agg(
        (
            site, g.user_id, g.began, g.ended,
            coalesce(g.first_path, new_paths[array_position(old_paths, g.entry_page)], g.entry_page),
            coalesce(g.last_path, new_paths[array_position(old_paths, g.exit_page)], g.exit_page), g.events, g.views,
            case when g.first_path is null then g.agent_number else g.numbers[1][1] end,
            case when g.first_path is null then g.origin_number else g.numbers[1][2] end, g.carts, g.checkouts, g.is_new
        )::sessions
        order by g.user_id, g.began
    )
    into put
    from (
        select
            n.user_id, o.began, o.ended, o.entry_page, o.exit_page, o.events, o.views, o.agent_number, o.origin_number,
            o.carts, o.checkouts, o.is_new,
            (
                select (
                    array_agg(array[e.agent_number, e.origin_number] order by e.path, e.agent_number, e.origin_number)
                )[1:1]
                from events e
                where e.site_id = site and e.user_id = n.user_id and e.event_time = o.began
            ) as numbers,
            (
                select min(e.path)
                from events e
                where e.site_id = site and e.user_id = n.user_id and e.event_time = o.began
            ) as first_path,
            (
                select max(e.path)
                from events e
                where e.site_id = site and e.user_id = n.user_id and e.event_time = o.ended
            ) as last_path
        from unnest(gone) o
        cross join lateral (select case when o.user_id = person then pseudonym else o.user_id end as user_id) n
    ) g;
    put := coalesce(put, '{}');
    perform replace_sessions(site, gone, put);
    -- A row of zeros equals no row, but has the path.
    delete from session_page_days d
    where d.site_id = site and d.path = any (old_paths) and d.entries = 0 and d.exits = 0;
    get diagnostics step = row_count;
    erased := jsonb_build_object('sessions', cardinality(gone), 'session_page_days', step);
end
$$;
