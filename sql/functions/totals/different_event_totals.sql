-- Differences of event_totals: which totals of a site differ from event_hours? See sql/README.md, "Recounts".
create or replace function different_event_totals(site varchar)
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
