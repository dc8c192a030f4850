-- Add timezones that sites may have.
-- names: all that they may.
insert into timezones (name)
select name
from unnest(:'names'::text[]) name
order by name
on conflict (name) do nothing
