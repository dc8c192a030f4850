-- The two spans that a day is in: its month and its five-day span.
create or replace function spans_of(some_day date) returns table (first_day date, end_day date)
language plpgsql immutable parallel safe
as $$
begin
    first_day := date_trunc('month', some_day);
    end_day := date_trunc('month', some_day) + interval '1 month';
    return next;
    first_day := sixth_of(some_day);
    end_day := case when extract(day from first_day) = 26 then end_day else first_day + 5 end;
    return next;
end
$$;
