-- Does a day begin twice, with part of the previous day in between? It does if clocks are set back from after midnight
-- to before it, as at 00:01 in St. John's until 2010.
create or replace function begins_twice(some_day date, zone text) returns boolean
language plpgsql stable strict parallel safe
as $$
declare
    moment   timestamptz := midnight(some_day, zone);
    set_back interval := interval '6 hours' - (((moment + interval '6 hours') at time zone zone) - (moment at time zone zone));
begin
    return set_back > interval '0'
        and ((moment + set_back - interval '1 microsecond') at time zone zone)::date < some_day;
end
$$;
