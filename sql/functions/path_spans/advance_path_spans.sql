-- Advance a site's path_spans and totals towards the five-day span of `target`, by one span that has events. Is there
-- more to do?
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
