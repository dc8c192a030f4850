-- Delete the timezones that sites may no longer have.
-- names: all valid names.
delete from timezones
where name <> all (:'names'::text[])
