-- Recompute session_days and session_page_days of a site, by days of this timezone. The caller has locked the site.
create or replace function sum_sessions_anew(site varchar, zone text) returns void
language plpgsql
as $$
begin
    delete from session_days d where d.site_id = site;
    delete from session_page_days d where d.site_id = site;

    insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
    select
        site, (s.began at time zone zone)::date, floor(date_part('epoch', s.ended - s.began))::integer,
        count(*), count(*) filter (where s.events = 1), sum(s.views), sum(s.ended - s.began)
    from sessions s
    where s.site_id = site
    group by 2, 3;

    insert into session_page_days (site_id, day, path, entries, exits)
    select site, (s.began at time zone zone)::date, p.path, sum(p.entries), sum(p.exits)
    from sessions s
    cross join lateral (values (s.entry_page, 1, 0), (s.exit_page, 0, 1)) p (path, entries, exits)
    where s.site_id = site
    group by 2, 3;
end
$$;
