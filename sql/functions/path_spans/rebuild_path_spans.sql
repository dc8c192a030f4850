-- Correct the spans with any of these days from path_days; see rebuild_days. Returns how many rows were wrong.
create or replace function rebuild_path_spans(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    spans right_path_span[];
begin
    perform from sites s where s.site_id = site for update;

    spans := array(
        select (d.first_day, d.end_day, d.event_type, d.path, d.should)::right_path_span
        from different_path_spans(site, from_day, to_day) d
    );
    set local plan_cache_mode = force_custom_plan;
    delete from path_spans p
    using unnest(spans) r
    where p.site_id = site and p.first_day = r.first_day and p.end_day = r.end_day
        and p.event_type = r.event_type and p.path = r.path and r.events is null;
    insert into path_spans (site_id, first_day, end_day, event_type, path, events)
    select site, r.first_day, r.end_day, r.event_type, r.path, r.events
    from unnest(spans) r
    where r.events is not null
    on conflict (site_id, first_day, end_day, event_type, path) do update set events = excluded.events;
    corrected := cardinality(spans);
end
$$;
