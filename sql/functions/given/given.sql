-- The JSON value, or null if it is missing, null, blank text, an empty list or an empty object. (Blank is what Python's
-- str.strip removes.)
create or replace function given(value jsonb) returns jsonb
language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'number' then value
    when 'string' then case
        -- Fast path: nearly all texts begin with an ASCII letter or digit.
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
