-- Add late events to the deferred rollups: those of a time before the rollup's watermark. The caller has locked their
-- sites.
create or replace function add_late_events(fresh fresh_event[]) returns void
language plpgsql
as $$
declare
    late record;
begin
    perform add_to_path_spans(fresh);
    perform add_to_user_spans(fresh);

    for late in
        select f.site_id, array_agg(distinct (f.event_time at time zone s.timezone)::date) as days
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where (f.event_time at time zone s.timezone)::date < s.top_paths_until
        group by f.site_id
    loop
        perform forget_top_paths(late.site_id, late.days);
    end loop;

    for late in
        select f.site_id, array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where f.event_time < s.sessions_until
        group by f.site_id
    loop
        perform add_to_sessions(late.site_id, 'infinity', 'infinity', late.events);
    end loop;

    for late in
        select f.site_id, array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where f.event_time < s.user_months_until
        group by f.site_id
    loop
        perform add_to_user_months(late.site_id, 'infinity', 'infinity', late.events);
    end loop;
end
$$;
