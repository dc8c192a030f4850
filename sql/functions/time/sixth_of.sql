-- The first day of the five-day span that a day is in. Each month has six: from the 1st, 6th, 11th, 16th, 21st and
-- 26th; the last one ends with the month.
create or replace function sixth_of(some_day date) returns date
language plpgsql immutable parallel safe
as $$
begin
    return date_trunc('month', some_day)::date + 5 * least((extract(day from some_day)::integer - 1) / 5, 5);
end
$$;
