-- Merge the events that are not in sessions yet with the stored sessions: which sessions result? See
-- sql/reports/open_sessions.sql.
create or replace function open_sessions(site varchar, range_end timestamptz, present timestamptz)
returns table (covered_until text, open text)
language plpgsql stable
as $$
declare
    until timestamptz;
    joined sessions[] := '{}';
begin
    select s.sessions_until into until
    from sites s
    where s.site_id = site and s.sessions_until >= present - interval '1 day';
    if until is null then
        return;
    end if;
    if range_end > until - interval '2 hours 30 minutes' or exists (
        select 1
        from sessions s
        where s.site_id = site and s.ended - s.began > interval '2 hours'
            and s.ended > until - interval '30 minutes' and s.began < range_end
    ) then
        joined := array(
            select (
                site, j.user_id, j.began, j.ended, j.entry_page, j.exit_page, j.events, j.views, j.agent_number,
                j.origin_number, j.carts, j.checkouts, j.began = min(j.began) over (partition by j.user_id)
            )::sessions
            from joined_sessions(site, until, 'infinity', '{}') j
        );
        joined := array(
            select (
                site, j.user_id, j.began, j.ended, j.entry_page, j.exit_page, j.events, j.views, j.agent_number,
                j.origin_number, j.carts, j.checkouts, j.is_new and not exists (
                    select 1 from sessions s where s.site_id = site and s.user_id = j.user_id and s.began < j.began
                )
            )::sessions
            from unnest(joined) j
        );
    end if;
    return query
    select until::text, joined::text;
end
$$;
