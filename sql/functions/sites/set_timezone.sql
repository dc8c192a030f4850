-- Set a site's timezone and rebuild all rollups that depend on its days and hours. One call is one transaction; writers
-- of the site wait for it. present: the current time. Returns the timezone before; null: there is no such site.
--
-- Days whose events have expired stay unchanged. The first event that has not expired may fall within a day, in the old
-- timezone or the new one. The counts that this day has from expired events are then added to the last expired day, so
-- that each event is still counted once. Sessions do not expire with the events: their sums are rebuilt for all days.
create or replace function set_timezone(site varchar, zone text, present timestamptz, out before text)
language plpgsql
as $$
#variable_conflict use_variable
declare
    kept_from  timestamptz;
    deleted_until timestamptz;
    held_from  timestamptz;
    old_zone   text;
    border_day date;
    first_day  date;
    last_day   date;
    gone       jsonb;
    some_month record;
begin
    -- No partition can be dropped meanwhile. Lock in the same order as writers: events, then sites.
    lock table events in access share mode;
    select s.timezone, s.events_from, s.own_deleted_until into before, kept_from, deleted_until
    from sites s
    where s.site_id = site
    for update;
    if before is null or before = zone then
        return;
    end if;

    if kept_from is not null then
        -- Expired events are still there for some minutes after the announcement.
        held_from := greatest(deleted_until, least(kept_from, (select min(p.starts) from event_partitions p)));
        old_zone := coalesce(usable_timezone(before), zone);
        border_day := (held_from at time zone old_zone)::date;
        first_day := least(border_day, (held_from at time zone zone)::date);
        update sites s set timezone = old_zone, events_from = null where s.site_id = site;
        gone := counted_of_gone_events(site, first_day, border_day);
        delete from event_hours h
        where h.site_id = site and (h.hour at time zone old_zone)::date between first_day - 2 and border_day;
        delete from path_days p where p.site_id = site and p.day between first_day and border_day;
        delete from user_days u where u.site_id = site and u.day between first_day and border_day;
        delete from sale_days d where d.site_id = site and d.day between first_day and border_day;
        delete from product_days d where d.site_id = site and d.day between first_day and border_day;
        border_day := ((held_from - interval '1 microsecond') at time zone zone)::date;
    end if;

    -- Keep the watermarks, unless one would be in the future: the rebuild below covers all new days before them.
    update sites s
    set
        timezone = zone,
        events_from = null,
        path_spans_until = least(s.path_spans_until, sixth_of((present at time zone zone)::date)),
        user_spans_until = least(s.user_spans_until, (present at time zone zone)::date)
    where s.site_id = site;

    select coalesce(first_day, min(days.first)), max(days.last)
    into first_day, last_day
    from (
        select min(day) as first, max(day) as last from path_days where site_id = site
        union all
        select min(day), max(day) from user_days where site_id = site
        union all
        select min(day), max(day) from sale_days where site_id = site
        union all
        -- In the other timezone an hour may belong to a day that has no rows now.
        select (min(hour) at time zone zone)::date, (max(hour) at time zone zone)::date
        from event_hours
        where site_id = site
        union all
        select (min(event_time) at time zone zone)::date, (max(event_time) at time zone zone)::date
        from events
        where site_id = site
    ) days;

    for some_month in
        select * from months_between(first_day, last_day)
    loop
        perform rebuild_days(site, some_month.first_day, some_month.last_day);
        perform rebuild_sales(site, some_month.first_day, some_month.last_day);
    end loop;
    if gone is not null then
        perform add_gone_events(site, gone, border_day, zone);
    end if;
    perform sum_sessions_anew(site, zone);
    for some_month in
        select * from months_between(least(first_day, border_day), last_day)
    loop
        perform rebuild_path_spans(site, some_month.first_day, some_month.last_day);
        perform rebuild_user_spans(site, some_month.first_day, some_month.last_day);
        perform rebuild_top_paths(site, some_month.first_day, some_month.last_day);
    end loop;
    perform rebuild_totals(site);
    update sites s set events_from = kept_from where s.site_id = site;
end
$$;
