-- Make the sessions of visitors those of users, merged with the users' own. The caller has locked the site.
create or replace function move_sessions(site varchar, froms varchar[], tos varchar[]) returns void
language plpgsql
as $$
declare
    gone sessions[];
    moved sessions[];
begin
    -- Not `gone := array(...)`: Citus would send the type of the variable, which a node has under another number.
    select
        array_agg(
            (
                s.site_id, s.user_id, s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views, s.agent_number,
                s.origin_number, s.carts, s.checkouts, s.is_new
            )::sessions
            order by s.user_id, s.began
        ),
        array_agg(
            (
                s.site_id, tos[array_position(froms, s.user_id)], s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views,
                s.agent_number, s.origin_number, s.carts, s.checkouts, s.is_new
            )::sessions
            order by s.user_id, s.began
        )
    into gone, moved
    from sessions s
    where s.site_id = site and s.user_id = any (froms);
    if gone is null then
        return;
    end if;
    perform replace_sessions(site, gone, '{}');
    perform add_to_sessions(site, 'infinity', 'infinity', '{}', moved);
end
$$;
