-- Differences of path_totals: which totals of a site differ from path_days? See sql/README.md, "Recounts".
create or replace function different_path_totals(site varchar)
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
