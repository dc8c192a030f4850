-- Differences of user_spans: where do the spans with any of these days differ from user_days? See sql/README.md,
-- "Recounts".
create or replace function different_user_spans(site varchar, from_day date, to_day date)
returns table (first_day date, end_day date, event_type varchar, chunk integer, says bit, should bit)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
    return query
    select
        coalesce(s.first_day, r.first_day), coalesce(s.end_day, r.end_day),
        coalesce(s.event_type, r.event_type), coalesce(s.chunk, r.chunk), s.users, r.users
    from (
        select first_day, end_day, event_type, chunk, users
        from user_spans
        where site_id = site
            and first_day between date_trunc('month', from_day::timestamp)::date and to_day and end_day > from_day
    ) s
    full join (
        select s.first_day, s.end_day, s.of_type as event_type, d.chunk, bit_or(d.users) as users
        from user_days d
        cross join user_spans_of(d.day, d.event_type) s
        where d.site_id = site
            and d.day >= date_trunc('month', from_day::timestamp)::date
            and d.day < (date_trunc('month', to_day::timestamp) + interval '1 month')::date
            and s.first_day <= to_day and s.end_day > from_day
            and s.end_day <= (select z.user_spans_until from sites z where z.site_id = site)
        group by 1, 2, 3, 4
    ) r on r.first_day = s.first_day and r.end_day = s.end_day and r.event_type = s.event_type and r.chunk = s.chunk
    where s.users is distinct from r.users;
end
$$;
