-- Totals of all days before sites.path_spans_until, so that what is asked of all time does not take longer with the years.
-- They are moved on and corrected with the spans of paths (0013), and a report adds the days since.

create table path_totals (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    path       text collate "C",
    events     bigint not null,
    primary key (site_id, event_type, path)
);

-- Of the hours of event_hours that begin before that day.
create table event_totals (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    events     bigint not null,
    anonymous  bigint not null,
    first_hour timestamptz not null,
    last_hour  timestamptz not null,
    primary key (site_id, event_type)
);

-- How many sessions are long? Without it the planner takes a third of them for long, and reads them all.
create statistics sessions_duration on (ended - began) from sessions;

-- Which totals of a site differ from what path_days and event_hours say? (See 0005 for how these are written.)
create function different_path_totals(site varchar)
returns table (event_type varchar, path text, says bigint, should bigint)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
    return query
    select coalesce(t.event_type, r.event_type), coalesce(t.path, r.path), t.events, r.events
    from (
        select event_type, path, events from path_totals where site_id = site
    ) t
    full join (
        select p.event_type, p.path, sum(p.events)::bigint as events
        from path_days p
        where p.site_id = site and p.day < (select s.path_spans_until from sites s where s.site_id = site)
        group by p.event_type, p.path
    ) r on r.event_type = t.event_type and r.path = t.path
    where t.events is distinct from r.events;
end
$$;

create function different_event_totals(site varchar)
returns table (
    event_type varchar, says bigint, should bigint, anonymous bigint, first_hour timestamptz, last_hour timestamptz
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select coalesce(t.event_type, r.event_type), t.events, r.events, r.anonymous, r.first_hour, r.last_hour
    from (
        select event_type, events, anonymous, first_hour, last_hour from event_totals where site_id = site
    ) t
    full join (
        select
            h.event_type, sum(h.events)::bigint as events, sum(h.anonymous)::bigint as anonymous,
            min(h.hour) as first_hour, max(h.hour) as last_hour
        from event_hours h
        join sites s on s.site_id = site
        where h.site_id = site and (h.hour at time zone s.timezone)::date < s.path_spans_until
        group by h.event_type
    ) r on r.event_type = t.event_type
    where (t.events, t.anonymous, t.first_hour, t.last_hour)
        is distinct from (r.events, r.anonymous, r.first_hour, r.last_hour);
end
$$;

-- Make a site's totals what path_days and event_hours say; see rebuild_days. Returns how many rows were not right.
create function rebuild_totals(site varchar, out corrected bigint)
language plpgsql
as $$
begin
    perform from sites s where s.site_id = site for update;

    with different as materialized (
        select * from different_path_totals(site)
    ),
    surplus as materialized (
        select event_type, path from different where should is null
    ),
    gone as (
        delete from path_totals t
        using surplus s
        where t.site_id = site and t.event_type = s.event_type and t.path = s.path
    ),
    put as (
        insert into path_totals (site_id, event_type, path, events)
        select site, event_type, path, should from different where should is not null
        on conflict (site_id, event_type, path) do update set events = excluded.events
    )
    select count(*) into corrected from different;

    with different as materialized (
        select * from different_event_totals(site)
    ),
    surplus as materialized (
        select event_type from different where should is null
    ),
    gone as (
        delete from event_totals t
        using surplus s
        where t.site_id = site and t.event_type = s.event_type
    ),
    put as (
        insert into event_totals (site_id, event_type, events, anonymous, first_hour, last_hour)
        select site, event_type, should, anonymous, first_hour, last_hour from different where should is not null
        on conflict (site_id, event_type) do update set
            events = excluded.events,
            anonymous = excluded.anonymous,
            first_hour = excluded.first_hour,
            last_hour = excluded.last_hour
    )
    select corrected + count(*) into corrected from different;
end
$$;

-- What is summed up already.
do $$
declare
    site varchar(255);
begin
    for site in
        select site_id from sites order by site_id
    loop
        perform rebuild_totals(site);
    end loop;
end
$$;

-- As before (0013), and the totals with the spans.
create or replace function advance_path_spans(site varchar, target timestamptz, out unfinished boolean)
language plpgsql
as $$
#variable_conflict use_variable
declare
    zone         text;
    summed_until date;
    target_day   date;
    next_day     date;
    added        bigint := 0;
begin
    select s.timezone, s.path_spans_until, sixth_of((target at time zone s.timezone)::date)
    into zone, summed_until, target_day
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

        insert into path_totals (site_id, event_type, path, events)
        select site, s.event_type, s.path, s.events
        from path_spans s
        where s.site_id = site and s.first_day = summed_until and s.end_day = next_day
        order by s.event_type, s.path
        on conflict (site_id, event_type, path) do update set events = path_totals.events + excluded.events;

        insert into event_totals (site_id, event_type, events, anonymous, first_hour, last_hour)
        select site, h.event_type, sum(h.events), sum(h.anonymous), min(h.hour), max(h.hour)
        from event_hours h
        where h.site_id = site
            and h.hour >= summed_until::timestamp at time zone zone - interval '3 hours'
            and h.hour < next_day::timestamp at time zone zone + interval '3 hours'
            and (h.hour at time zone zone)::date >= summed_until and (h.hour at time zone zone)::date < next_day
        group by h.event_type
        on conflict (site_id, event_type) do update set
            events = event_totals.events + excluded.events,
            anonymous = event_totals.anonymous + excluded.anonymous,
            first_hour = least(event_totals.first_hour, excluded.first_hour),
            last_hour = greatest(event_totals.last_hour, excluded.last_hour);
        summed_until := next_day;
    end loop;
    update sites s
    set path_spans_until = summed_until
    where s.site_id = site and s.path_spans_until < summed_until;
    unfinished := summed_until < target_day;
end
$$;

-- As before (0013), and to the totals with the spans.
create or replace function add_to_path_spans(fresh fresh_event[]) returns void
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

        insert into path_totals (site_id, event_type, path, events)
        select late.site_id, event_type, path, count(*)
        from unnest(late.events)
        group by event_type, path
        on conflict (site_id, event_type, path) do update set events = path_totals.events + excluded.events;
    end loop;

    for late in
        select h.site_id, h.event_type, count(*) as events, count(*) - count(h.user_id) as anonymous,
            min(h.hour) as first_hour, max(h.hour) as last_hour
        from (
            select f.site_id, f.event_type, f.user_id, date_trunc('hour', f.event_time, s.timezone) as hour, s.timezone,
                s.path_spans_until
            from unnest(fresh) f
            join sites s on s.site_id = f.site_id
        ) h
        where (h.hour at time zone h.timezone)::date < h.path_spans_until
        group by h.site_id, h.event_type
    loop
        insert into event_totals (site_id, event_type, events, anonymous, first_hour, last_hour)
        values (late.site_id, late.event_type, late.events, late.anonymous, late.first_hour, late.last_hour)
        on conflict (site_id, event_type) do update set
            events = event_totals.events + excluded.events,
            anonymous = event_totals.anonymous + excluded.anonymous,
            first_hour = least(event_totals.first_hour, excluded.first_hour),
            last_hour = greatest(event_totals.last_hour, excluded.last_hour);
    end loop;
end
$$;
