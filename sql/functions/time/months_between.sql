-- Split the days from from_day to to_day (both included) by month: the first and the last day of each part.
create or replace function months_between(from_day date, to_day date) returns table (first_day date, last_day date)
language plpgsql immutable
as $$
begin
    return query
    select
        greatest(month::date, from_day),
        least((month + interval '1 month')::date - 1, to_day)
    from generate_series(date_trunc('month', from_day::timestamp), to_day::timestamp, interval '1 month') month;
end
$$;
