-- Add late events to the spans and totals that have their days already. The caller has locked their sites.
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
