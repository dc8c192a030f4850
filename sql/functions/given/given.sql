-- A JSON value that says something; null for one that is missing, null, empty or blank text, or an empty list or object.
-- (What counts as blank is the same in Python: its str.strip.)
create or replace function given(value jsonb) returns jsonb
language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'number' then value
    when 'string' then case
        -- Nearly all begin with a letter of ASCII's or a digit.
        when (value #>> '{}') collate "C" >= '!' and (value #>> '{}') collate "C" < U&'\0080' then value
        when btrim(
            value #>> '{}',
            U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006'
                '\2007\2008\2009\200A\2028\2029\202F\205F\3000'
        ) <> '' then value
    end
    when 'object' then nullif(value, '{}')
    when 'array' then nullif(value, '[]')
    when 'null' then null
    else value
end;
