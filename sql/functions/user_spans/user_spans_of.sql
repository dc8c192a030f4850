-- The spans that count a user with an event of this type on this day.
create or replace function user_spans_of(some_day date, event_type varchar)
returns table (first_day date, end_day date, of_type varchar)
language sql immutable parallel safe
as $$
    select some_day, some_day + 1, ''::varchar
    union all
    select s.first_day, s.end_day, t.of_type
    from spans_of(some_day) s
    cross join (values (''::varchar), (event_type)) t (of_type)
$$;
