-- The timezone, or null where PostgreSQL cannot use it: for what is asked of all sites at once, and must not fail for one.
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
