-- The number that a JSON value is, or that its text holds: up to 15 digits before the decimal point and 30 after it;
-- null for all else. Numbers skip the regular expression, which would take most of a report's time.
create or replace function exact_number(value jsonb) returns numeric
language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'number' then case when abs(value::numeric) < 1e15 then value::numeric end
    when 'string' then case when value #>> '{}' ~ '^ *[+-]?[0-9]{1,15}(\.[0-9]{1,30})? *$' then (value #>> '{}')::numeric end
end;
