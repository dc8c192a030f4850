-- When does the sixth of a month begin that a day is in?
create or replace function sixth_of(some_day date) returns date
language plpgsql immutable parallel safe
as $$
begin
    return date_trunc('month', some_day)::date + 5 * least((extract(day from some_day)::integer - 1) / 5, 5);
end
$$;
