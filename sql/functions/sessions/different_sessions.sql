-- Differences of sessions: where do the sessions that begin on these days differ from the events? Sessions that may
-- have begun before the first event that has not expired are left out. Columns says_*: actual; the same names without
-- it: expected.
create or replace function different_sessions(site varchar, first_day date, last_day date)
returns table (
    user_id varchar, began timestamptz,
    says_ended timestamptz, says_entry_page text, says_exit_page text, says_events integer, says_views integer,
    ended timestamptz, entry_page text, exit_page text, events integer, views integer
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    range_start timestamptz;
    range_end timestamptz;
    seen_until timestamptz;
    recounted sessions[];
begin
    select
        greatest(first_day::timestamp at time zone s.timezone, s.events_from + interval '30 minutes'),
        least((last_day + 1)::timestamp at time zone s.timezone, s.sessions_until),
        s.sessions_until
    into range_start, range_end, seen_until
    from sites s
    where s.site_id = site;
    recounted := array(
        select (site, r.user_id, r.began, r.ended, r.entry_page, r.exit_page, r.events, r.views)::sessions
        from sessions_in(site, range_start, range_end, seen_until, null) r
    );
    return query
    select
        coalesce(s.user_id, r.user_id), coalesce(s.began, r.began),
        s.ended, s.entry_page, s.exit_page, s.events, s.views,
        r.ended, r.entry_page, r.exit_page, r.events, r.views
    from (
        select user_id, began, ended, entry_page, exit_page, events, views
        from sessions
        where site_id = site and began >= range_start and began < range_end
    ) s
    full join unnest(recounted) r on r.user_id = s.user_id and r.began = s.began
    where (s.ended, s.entry_page, s.exit_page, s.events, s.views)
        is distinct from (r.ended, r.entry_page, r.exit_page, r.events, r.views);
end
$$;
