-- Make the sessions of visitors those of users, merged with the users' own. The caller has locked the site.
create or replace function move_sessions(site varchar, froms varchar[], tos varchar[]) returns void
language plpgsql
as $$
declare
    gone sessions[];
    moved sessions[];
begin
    gone := array(
        select (
            s.site_id, s.user_id, s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views
        )::sessions
        from sessions s
        where s.site_id = site and s.user_id = any (froms)
        order by s.user_id, s.began
    );
    if gone = '{}' then
        return;
    end if;
    moved := array(
        select (
            site, tos[array_position(froms, g.user_id)], g.began, g.ended, g.entry_page, g.exit_page, g.events, g.views
        )::sessions
        from unnest(gone) g
    );
    perform replace_sessions(site, gone, '{}');
    perform add_to_sessions(site, 'infinity', 'infinity', '{}', moved);
end
$$;
