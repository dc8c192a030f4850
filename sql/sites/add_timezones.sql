-- Add timezones that sites may have.
-- names: all valid names.
insert into timezones (name)
select name
from unnest(:'names'::text[]) name
order by name
on conflict (name) do nothing
