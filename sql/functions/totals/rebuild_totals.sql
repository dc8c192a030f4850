-- Correct a site's totals from path_days and event_hours; see rebuild_days. Returns how many rows were wrong.
create or replace function rebuild_totals(site varchar, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    of_paths right_path_total[];
    of_events right_event_total[];
begin
    perform from sites s where s.site_id = site for update;

    of_paths := array(
        select (d.event_type, d.path, d.should)::right_path_total from different_path_totals(site) d
    );
    of_events := array(
        select (d.event_type, d.should, d.anonymous, d.first_hour, d.last_hour)::right_event_total
        from different_event_totals(site) d
    );

    set local plan_cache_mode = force_custom_plan;
    delete from path_totals t
    using unnest(of_paths) r
    where t.site_id = site and t.event_type = r.event_type and t.path = r.path and r.events is null;
    insert into path_totals (site_id, event_type, path, events)
    select site, r.event_type, r.path, r.events
    from unnest(of_paths) r
    where r.events is not null
    on conflict (site_id, event_type, path) do update set events = excluded.events;

    delete from event_totals t
    using unnest(of_events) r
    where t.site_id = site and t.event_type = r.event_type and r.events is null;
    insert into event_totals (site_id, event_type, events, anonymous, first_hour, last_hour)
    select site, r.event_type, r.events, r.anonymous, r.first_hour, r.last_hour
    from unnest(of_events) r
    where r.events is not null
    on conflict (site_id, event_type) do update set
        events = excluded.events,
        anonymous = excluded.anonymous,
        first_hour = excluded.first_hour,
        last_hour = excluded.last_hour;

    corrected := cardinality(of_paths) + cardinality(of_events);
end
$$;
