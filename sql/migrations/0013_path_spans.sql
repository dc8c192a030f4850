-- Paths by month and by five days, so that a report of a month or a year need not add up each of its days.
--
-- A span is a month, or one of its sixths: from the 1st, 6th, 11th, 16th, 21st and 26th, the last one to the month's end.
-- This rollup sums up path_days, from which it is written later, so that an event costs no more to store: it has the days
-- before sites.path_spans_until, which upkeep moves on from sixth to sixth. What is stored after that for an earlier day is
-- added at once; a report takes what is not in whole spans from path_days. So it is as exact, and stays when events go.

create table path_spans (
    site_id    varchar(255) collate "C",
    first_day  date,
    end_day    date,                        -- the day after the last
    event_type varchar(100) collate "C",
    path       text collate "C",
    events     bigint not null,
    primary key (site_id, first_day, end_day, event_type, path)
);

alter table sites add path_spans_until date not null default '-infinity'; -- where a sixth begins

-- When does the sixth of a month begin that a day is in?
create function sixth_of(some_day date) returns date
language plpgsql immutable parallel safe
as $$
begin
    return date_trunc('month', some_day)::date + 5 * least((extract(day from some_day)::integer - 1) / 5, 5);
end
$$;

-- The two spans that a day is in.
create function spans_of(some_day date) returns table (first_day date, end_day date)
language plpgsql immutable parallel safe
as $$
begin
    first_day := date_trunc('month', some_day);
    end_day := date_trunc('month', some_day) + interval '1 month';
    return next;
    first_day := sixth_of(some_day);
    end_day := case when extract(day from first_day) = 26 then end_day else first_day + 5 end;
    return next;
end
$$;

-- Move a site's spans on towards the sixth that a moment is in, by one sixth that has events; is there more to do?
create function advance_path_spans(site varchar, target timestamptz, out unfinished boolean)
language plpgsql
as $$
#variable_conflict use_variable
declare
    summed_until date;
    target_day   date;
    next_day     date;
    added        bigint := 0;
begin
    select s.path_spans_until, sixth_of((target at time zone s.timezone)::date)
    into summed_until, target_day
    from sites s
    where s.site_id = site
    for update;

    if summed_until = '-infinity' then
        select coalesce(sixth_of(min(p.day)), target_day) into summed_until from path_days p where p.site_id = site;
    end if;
    while summed_until < target_day and added = 0 loop
        select max(s.first_day), min(s.end_day) into summed_until, next_day from spans_of(summed_until) s;
        insert into path_spans (site_id, first_day, end_day, event_type, path, events)
        select site, s.first_day, s.end_day, p.event_type, p.path, p.events
        from spans_of(summed_until) s
        cross join (
            select d.event_type, d.path, sum(d.events) as events
            from path_days d
            where d.site_id = site and d.day >= summed_until and d.day < next_day
            group by d.event_type, d.path
        ) p
        order by s.first_day, s.end_day, p.event_type, p.path
        on conflict (site_id, first_day, end_day, event_type, path) do update set
            events = path_spans.events + excluded.events;
        get diagnostics added = row_count;
        summed_until := next_day;
    end loop;
    update sites s
    set path_spans_until = summed_until
    where s.site_id = site and s.path_spans_until < summed_until;
    unfinished := summed_until < target_day;
end
$$;

-- Add those of some new events to the spans whose days are in them already. Their sites are locked by the caller.
create function add_to_path_spans(fresh fresh_event[]) returns void
language plpgsql
as $$
declare
    late record;
begin
    for late in
        select f.site_id, (f.event_time at time zone s.timezone)::date as day, array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where (f.event_time at time zone s.timezone)::date < s.path_spans_until
        group by 1, 2
    loop
        insert into path_spans (site_id, first_day, end_day, event_type, path, events)
        select late.site_id, s.first_day, s.end_day, p.event_type, p.path, p.events
        from spans_of(late.day) s
        cross join (select event_type, path, count(*) as events from unnest(late.events) group by 1, 2) p
        on conflict (site_id, first_day, end_day, event_type, path) do update set
            events = path_spans.events + excluded.events;
    end loop;
end
$$;

-- Where do the spans that have any of these days differ from what path_days says? (See 0005 for how these are written.)
create function different_path_spans(site varchar, from_day date, to_day date)
returns table (first_day date, end_day date, event_type varchar, path text, says bigint, should bigint)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
    return query
    with spans as materialized (
        select d.day, s.first_day, s.end_day
        from sites
        cross join generate_series(
            date_trunc('month', from_day::timestamp),
            least(date_trunc('month', to_day::timestamp) + interval '1 month', path_spans_until) - interval '1 day',
            interval '1 day'
        ) moment
        cross join lateral (select moment::date as day) d
        cross join lateral spans_of(d.day) s
        where site_id = site and s.first_day <= to_day and s.end_day > from_day
    )
    select
        coalesce(s.first_day, r.first_day), coalesce(s.end_day, r.end_day),
        coalesce(s.event_type, r.event_type), coalesce(s.path, r.path), s.events, r.events
    from (
        select first_day, end_day, event_type, path, events
        from path_spans
        where site_id = site
            and first_day between date_trunc('month', from_day::timestamp)::date and to_day and end_day > from_day
    ) s
    full join (
        select spans.first_day, spans.end_day, p.event_type, p.path, sum(p.events)::bigint as events
        from path_days p
        join spans on spans.day = p.day
        where p.site_id = site
        group by 1, 2, 3, 4
    ) r on r.first_day = s.first_day and r.end_day = s.end_day and r.event_type = s.event_type and r.path = s.path
    where s.events is distinct from r.events;
end
$$;

-- Make the spans that have any of these days what path_days says; see rebuild_days. Returns how many rows were not right.
create function rebuild_path_spans(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
as $$
begin
    perform from sites s where s.site_id = site for update;

    with different as materialized (
        select * from different_path_spans(site, from_day, to_day)
    ),
    surplus as materialized (
        select first_day, end_day, event_type, path from different where should is null
    ),
    gone as (
        delete from path_spans p
        using surplus s
        where p.site_id = site and p.first_day = s.first_day and p.end_day = s.end_day
            and p.event_type = s.event_type and p.path = s.path
    ),
    put as (
        insert into path_spans (site_id, first_day, end_day, event_type, path, events)
        select site, first_day, end_day, event_type, path, should from different where should is not null
        on conflict (site_id, first_day, end_day, event_type, path) do update set events = excluded.events
    )
    select count(*) into corrected from different;
end
$$;

-- Which buckets does a range have, half-open, the first and the last perhaps only in part? grain: minute, hour, day, week or
-- month of the zone; step: no longer than the shortest bucket, so that none is left out where clocks are changed.
create function buckets(range_start timestamptz, range_end timestamptz, grain text, step interval, zone text)
returns table (at timestamptz)
language plpgsql stable rows 50
as $$
begin
    return query
    select distinct date_trunc(grain, moment, zone)
    from (
        select generate_series(range_start, range_end - interval '1 microsecond', step) as moment
        union all
        select range_end - interval '1 microsecond'
    ) moments;
end
$$;
