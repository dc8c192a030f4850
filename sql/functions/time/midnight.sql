-- When does a day begin? At its first midnight: if clocks are set back, there may be two.
create or replace function midnight(some_day date, zone text) returns timestamptz
language plpgsql stable strict parallel safe
as $$
declare
    moment   timestamptz := some_day::timestamp at time zone zone;
    set_back interval := interval '6 hours' - ((moment at time zone zone) - ((moment - interval '6 hours') at time zone zone));
begin
    if set_back > interval '0' and ((moment - set_back) at time zone zone)::date = some_day then
        return moment - set_back;
    end if;
    return moment;
end
$$;
