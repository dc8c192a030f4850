-- An id as it is, and as it is written in addresses and in JSON.
create or replace function spellings_of(id text) returns text[]
language plpgsql immutable
as $$
declare
    letter text;
    octets text;
    quoted text := '';     -- as Python's quote() writes it in an address,
    lowered text := '';    -- the same with hexadecimal digits in lower case,
    component text := '';  -- and as JavaScript's encodeURIComponent() does
    escaped text := to_jsonb(id)::text;
begin
    for letter in
        select l from regexp_split_to_table(id, '') with ordinality p (l, place) order by place
    loop
        octets := regexp_replace(encode(convert_to(letter, 'UTF8'), 'hex'), '(..)', '%\1', 'g');
        lowered := lowered || case when letter collate "C" ~ '[A-Za-z0-9._~-]' then letter else octets end;
        octets := upper(octets collate "C");
        quoted := quoted || case when letter collate "C" ~ '[A-Za-z0-9._~-]' then letter else octets end;
        component := component || case when letter collate "C" ~ '[A-Za-z0-9._~!*''()-]' then letter else octets end;
    end loop;
    return array[
        id, quoted, lowered, component, replace(quoted, '%20', '+'), replace(quoted, '%40', '@'),
        replace(quoted, '%2F', '/'), substr(escaped, 2, length(escaped) - 2)
    ];
end
$$;
