-- Which time does a report of a site cover, and which rollups fit it?
-- site_id: the site; now: the present; timezone: of the report, or null for the site's. The range is given as days
-- (first_day, end_day: half-open; without end_day, today is the last), as instants (start, end: half-open), or as the
-- name of a period; the others are null.
--
-- Each step is materialized: pasted into each other they would make one expression that takes longer to plan than to run.
--
-- hours_fit: both ends are where hours of the site begin, and all its hours are hours of the report's timezone too.
-- days_fit: it is made of whole days of the site.
-- path_spans_until, user_spans_until: before this day of the site, path_spans has its sums, and user_spans its users; null
-- for a range of instants.
-- kept_from: from when on the site's events are kept, where it had some in the range that are not; null: all are kept.
with zone as materialized (
    select
        coalesce(:'timezone', s.timezone, 'UTC') as zone,
        coalesce(s.timezone, 'UTC') as site_zone,
        s.path_spans_until,
        s.user_spans_until
    from (select) always
    left join sites s on s.site_id = :'site_id'
),
present as materialized (
    select *, (:'now'::timestamptz at time zone zone)::date as today
    from zone
),
days as materialized (
    select
        *,
        case :'period'
            when 'today' then today
            when 'yesterday' then today - 1
            when '7d' then today - 6
            when '28d' then today - 27
            when '30d' then today - 29
            when '91d' then today - 90
            when 'month' then date_trunc('month', today)::date
            when '6mo' then (date_trunc('month', today) - interval '5 months')::date
            when '12mo' then (date_trunc('month', today) - interval '11 months')::date
            when 'year' then date_trunc('year', today)::date
            when 'all' then coalesce(
                (select (min(hour) at time zone zone)::date from event_hours where site_id = :'site_id'), today
            )
            else :'first_day'::date
        end as first_day,
        case
            when :'period' = 'yesterday' then today
            when :'period' = 'all' then greatest(today, (
                select (max(hour) at time zone zone)::date from event_hours where site_id = :'site_id'
            )) + 1
            when :'period' is not null then today + 1
            when :'first_day'::date is not null then coalesce(:'end_day'::date, today + 1)
        end as end_day
    from present
),
-- A day begins at its midnight, at the first where clocks are set back and there are two.
midnights as materialized (
    select
        *,
        first_day::timestamp at time zone zone as first_midnight,
        end_day::timestamp at time zone zone as end_midnight
    from days
),
instants as materialized (
    select
        *,
        coalesce(:'start'::timestamptz, first_midnight - case
            when ((first_midnight - interval '1 hour') at time zone zone)::date = first_day then interval '1 hour'
            else interval '0'
        end) as starts,
        coalesce(:'end'::timestamptz, end_midnight - case
            when ((end_midnight - interval '1 hour') at time zone zone)::date = end_day then interval '1 hour'
            else interval '0'
        end) as ends
    from midnights
)
select
    zone as timezone,
    site_zone as site_timezone,
    first_day,
    end_day,
    starts as start,
    ends as end,
    date_trunc('hour', starts, site_zone) = starts
        and date_trunc('hour', ends, site_zone) = ends
        and (
            zone = site_zone
            or not exists (
                -- Clocks are not changed twice in a day: what holds at both ends of it holds in between.
                select
                from (select generate_series(starts, ends, '24 hours') as moment union all select ends) moments
                where date_trunc('hour', moment, zone) <> date_trunc('hour', moment, site_zone)
            )
        ) as hours_fit,
    first_day is not null and zone = site_zone as days_fit,
    case when first_day is not null then greatest(first_day, path_spans_until) end as path_spans_until,
    case when first_day is not null then greatest(first_day, user_spans_until) end as user_spans_until,
    (
        select s.events_from
        from sites s
        where s.site_id = :'site_id' and s.events_from > starts
            and exists (
                select
                from event_hours h
                where h.site_id = :'site_id'
                    and h.hour >= date_trunc('hour', starts, site_zone) and h.hour < least(ends, s.events_from)
            )
    ) as kept_from
from instants
