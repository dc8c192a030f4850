-- Forget the timezones that sites may no longer have.
-- names: those that they may.
delete from timezones
where name <> all (:'names'::text[])
