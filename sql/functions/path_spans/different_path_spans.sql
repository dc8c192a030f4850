-- Differences of path_spans: where do the spans with any of these days differ from path_days? See sql/README.md,
-- "Recounts".
create or replace function different_path_spans(site varchar, from_day date, to_day date)
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
