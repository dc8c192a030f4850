-- Count what has an old path under its new path, in all rollups by path. The caller has locked the site. Returns the
-- changed rows by table.
create or replace function erase_from_paths(site varchar, old_paths text[], new_paths text[], out erased jsonb)
language plpgsql
as $$
#variable_conflict use_variable
declare
    by_day right_path_day[];
    by_span right_path_span[];
    in_all right_path_total[];
    days date[];
    some_day date;
    step bigint := 0;
begin
    -- Not `by_day := array(...)`: Citus would send the type of the variable, which a node has under another number.
    select array_agg(
        (d.event_type, d.day, new_paths[array_position(old_paths, d.path)], d.events)::right_path_day
        order by d.event_type, d.day, d.path
    )
    into by_day
    from path_days d
    where d.site_id = site and d.path = any (old_paths);
    select array_agg(
        (s.first_day, s.end_day, s.event_type, new_paths[array_position(old_paths, s.path)], s.events)::right_path_span
        order by s.first_day, s.end_day, s.event_type, s.path
    )
    into by_span
    from path_spans s
    where s.site_id = site and s.path = any (old_paths);
    select array_agg(
        (t.event_type, new_paths[array_position(old_paths, t.path)], t.events)::right_path_total
        order by t.event_type, t.path
    )
    into in_all
    from path_totals t
    where t.site_id = site and t.path = any (old_paths);

    delete from path_days d where d.site_id = site and d.path = any (old_paths);
    insert into path_days (site_id, event_type, day, path, events)
    select site, r.event_type, r.day, r.path, sum(r.events)
    from unnest(by_day) r
    group by r.event_type, r.day, r.path
    on conflict (site_id, event_type, day, path) do update set events = path_days.events + excluded.events;

    delete from path_spans s where s.site_id = site and s.path = any (old_paths);
    insert into path_spans (site_id, first_day, end_day, event_type, path, events)
    select site, r.first_day, r.end_day, r.event_type, r.path, sum(r.events)
    from unnest(by_span) r
    group by r.first_day, r.end_day, r.event_type, r.path
    on conflict (site_id, first_day, end_day, event_type, path) do update set
        events = path_spans.events + excluded.events;

    delete from path_totals t where t.site_id = site and t.path = any (old_paths);
    insert into path_totals (site_id, event_type, path, events)
    select site, r.event_type, r.path, sum(r.events)
    from unnest(in_all) r
    group by r.event_type, r.path
    on conflict (site_id, event_type, path) do update set events = path_totals.events + excluded.events;

    days := array(
        select t.day
        from top_paths t
        where t.site_id = site and t.day = any (array(select distinct r.day from unnest(by_day) r))
        order by t.day
    );
    foreach some_day in array days loop
        perform write_top_paths(site, some_day);
        step := step + 1;
    end loop;
    erased := jsonb_build_object(
        'path_days', coalesce(cardinality(by_day), 0), 'path_spans', coalesce(cardinality(by_span), 0),
        'path_totals', coalesce(cardinality(in_all), 0),
        'top_paths', step
    );
end
$$;
