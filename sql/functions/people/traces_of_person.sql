-- What to look for to find a person in paths and properties.
--
-- An id of fewer than four characters, or of fewer than five if all are digits, occurs by chance: it is looked for in
-- the person's own events only, and there only as a whole value or a whole part of an address.
create or replace function traces_of_person(user_id text, pseudonym text) returns person_traces
language plpgsql immutable
as $$
declare
    traces person_traces;
    letter text;
    octets text;
    quoted text := '';     -- as Python's quote() writes it in an address,
    lowered text := '';    -- the same with hexadecimal digits in lower case,
    component text := '';  -- and as JavaScript's encodeURIComponent() does
    escaped text := to_jsonb(user_id)::text;
    choice text;
begin
    for letter in
        select l from regexp_split_to_table(user_id, '') with ordinality p (l, place) order by place
    loop
        octets := regexp_replace(encode(convert_to(letter, 'UTF8'), 'hex'), '(..)', '%\1', 'g');
        lowered := lowered || case when letter collate "C" ~ '[A-Za-z0-9._~-]' then letter else octets end;
        octets := upper(octets collate "C");
        quoted := quoted || case when letter collate "C" ~ '[A-Za-z0-9._~-]' then letter else octets end;
        component := component || case when letter collate "C" ~ '[A-Za-z0-9._~!*''()-]' then letter else octets end;
    end loop;
    traces.user_id := user_id;
    traces.pseudonym := pseudonym;
    traces.distinct_id := length(user_id) >= case when user_id collate "C" ~ '^[0-9]*$' then 5 else 4 end;
    traces.spellings := array(
        select distinct s collate "C" as id
        from unnest(array[
            user_id, quoted, lowered, component, replace(quoted, '%20', '+'), replace(quoted, '%40', '@'),
            replace(quoted, '%2F', '/'), substr(escaped, 2, length(escaped) - 2)
        ]) s
        order by id
    );
    select string_agg(regexp_replace(s, '([][\\^$.|?*+(){}/#-])', '\\\1', 'g'), '|' order by length(s) desc, s)
    into choice
    from unnest(traces.spellings) s;
    traces.in_path := format('(^|[/?&=#;:,])(?:%s)(?=[/?&=#;:,]|$)', choice);
    traces.in_text := format('(?<![A-Za-z0-9])(?:%s)(?![A-Za-z0-9])', choice);
    traces.orders := '{}';
    return traces;
end
$$;
