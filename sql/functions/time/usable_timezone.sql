-- The timezone, or null if PostgreSQL cannot use it: for queries about all sites, which must not fail because of one.
create or replace function usable_timezone(zone text) returns text
language plpgsql stable
as $$
begin
    perform now() at time zone zone;
    return zone;
exception when invalid_parameter_value then
    return null;
end
$$;
