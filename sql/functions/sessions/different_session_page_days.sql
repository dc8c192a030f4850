-- Differences of session_page_days: where do its rows of these days differ from the sessions? See
-- different_session_days.
create or replace function different_session_page_days(site varchar, first_day date, last_day date)
returns table (day date, path text, says_entries integer, says_exits integer, entries integer, exits integer)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select
        coalesce(s.day, r.day), coalesce(s.path, r.path),
        coalesce(s.entries, 0), coalesce(s.exits, 0), coalesce(r.entries, 0), coalesce(r.exits, 0)
    from (
        select *
        from session_page_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select
            (began at time zone zone)::date as day, pages.path,
            sum(pages.entries)::integer as entries, sum(pages.exits)::integer as exits
        from sessions
        cross join lateral (values (entry_page, 1, 0), (exit_page, 0, 1)) pages (path, entries, exits)
        where site_id = site
            and began >= first_day::timestamp at time zone zone - interval '3 hours'
            and began < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (began at time zone zone)::date between first_day and last_day
        group by 1, 2
    ) r on r.day = s.day and r.path = s.path
    where (coalesce(s.entries, 0), coalesce(s.exits, 0)) <> (coalesce(r.entries, 0), coalesce(r.exits, 0));
end
$$;
