-- Which time range does a report of a site cover, and which rollups fit it? A function, because a connection caches its
-- plans: as a query, planning took longer than most reports run.
--
-- present: now; asked_zone: the timezone of the report, or null for the site's. The range is given as days (from_day,
-- to_day: half-open; without to_day, today is the last), as instants (from_moment, to_moment: half-open), or as the
-- name of a period; the others are null.
--
-- hours_fit: both ends are on hours of the site, and all its hours are hours of the report's timezone too.
-- days_fit: the range consists of whole days of the site.
-- path_spans_until, user_spans_until: the watermarks of path_spans and user_spans, as days of the site; null for a
-- range of instants.
-- kept_from: where the site's events that have not expired begin, if some of the range have expired; else null.
--
-- The rollups do not fit where they cannot separate times: a day that begins twice is not one time range, and one of
-- its hours may have events of two days; and a day may begin within an hour. The events of the last hour are in the
-- period `all`, even if they are of a later day than the start of the hour.
create or replace function report_range(
    site varchar, present timestamptz, asked_zone text, from_day date, to_day date,
    from_moment timestamptz, to_moment timestamptz, period text,
    out timezone text, out site_timezone text, out first_day date, out end_day date,
    out starts timestamptz, out ends timestamptz, out hours_fit boolean, out days_fit boolean,
    out path_spans_until date, out user_spans_until date, out kept_from timestamptz
)
language plpgsql stable
as $$
#variable_conflict use_variable
declare
    today       date;
    events_from timestamptz;
    first_hour  timestamptz;
    has_expired boolean;
begin
    select s.timezone, s.path_spans_until, s.user_spans_until, s.events_from
    into site_timezone, path_spans_until, user_spans_until, events_from
    from sites s
    where s.site_id = site;

    site_timezone := coalesce(site_timezone, 'UTC');
    timezone := coalesce(asked_zone, site_timezone);
    today := (present at time zone timezone)::date;

    first_day := case period
        when 'today' then today
        when 'yesterday' then today - 1
        when '7d' then today - 6
        when '14d' then today - 13
        when '28d' then today - 27
        when '30d' then today - 29
        when '60d' then today - 59
        when '90d' then today - 89
        when '91d' then today - 90
        when 'week' then date_trunc('week', today)::date
        when 'month' then date_trunc('month', today)::date
        when 'quarter' then date_trunc('quarter', today)::date
        when '6mo' then (date_trunc('month', today) - interval '5 months')::date
        when '12mo' then (date_trunc('month', today) - interval '11 months')::date
        when 'year' then date_trunc('year', today)::date
        when 'all' then today
        else from_day
    end;
    end_day := case
        when period = 'yesterday' then today
        when period is not null then today + 1
        when from_day is not null then coalesce(to_day, today + 1)
    end;
    if period = 'all' then
        select
            coalesce((min(h.hour) at time zone timezone)::date, today),
            greatest(today, ((max(h.hour) + interval '1 hour' - interval '1 microsecond') at time zone timezone)::date) + 1
        into first_day, end_day
        from event_hours h
        where h.site_id = site;
    end if;

    starts := coalesce(from_moment, midnight(first_day, timezone));
    ends := coalesce(to_moment, midnight(end_day, timezone));

    hours_fit := date_trunc('hour', starts, site_timezone) = starts and date_trunc('hour', ends, site_timezone) = ends;
    days_fit := hours_fit and first_day is not null and timezone = site_timezone
        and not begins_twice(first_day, timezone) and not begins_twice(end_day, timezone);
    if hours_fit and timezone <> site_timezone then
        -- Clocks do not change twice within a day: if it holds at both ends, it holds in between.
        hours_fit := not exists (
            select
            from (select generate_series(starts, ends, '24 hours') as moment union all select ends) moments
            where date_trunc('hour', moment, timezone) <> date_trunc('hour', moment, site_timezone)
        );
    end if;
    if hours_fit and timezone <> 'UTC' then
        -- Only weeks in which clocks are set back have such a day.
        hours_fit := not exists (
            select
            from generate_series(starts - interval '1 day', ends, '168 hours') moment
            cross join generate_series(0, 8) later
            where ((moment + interval '168 hours') at time zone timezone) - (moment at time zone timezone) < interval '7 days'
                and begins_twice((moment at time zone timezone)::date + later, timezone)
        );
    end if;
    path_spans_until := case when first_day is not null then greatest(first_day, path_spans_until) end;
    user_spans_until := case when first_day is not null then greatest(first_day, user_spans_until) end;

    if events_from > starts then
        first_hour := date_trunc('hour', events_from, site_timezone);
        perform
        from event_hours h
        where h.site_id = site
            and h.hour >= date_trunc('hour', starts, site_timezone) and h.hour < least(ends, first_hour)
        limit 1;
        has_expired := found;
        if not has_expired and first_hour < events_from then
            -- They begin within an hour of the site: some of that hour have expired if it had more than are there. It may
            -- last an hour and a half, where clocks change by half an hour.
            has_expired := (
                select sum(h.events) from event_hours h where h.site_id = site and h.hour = first_hour
            ) > (
                select count(*)
                from events e
                where e.site_id = site and e.event_time >= events_from and e.event_time < first_hour + interval '2 hours'
                    and date_trunc('hour', e.event_time, site_timezone) = first_hour
            );
        end if;
        kept_from := case when has_expired then events_from end;
    end if;
end
$$;
