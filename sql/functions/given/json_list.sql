-- Parse a text that holds a JSON list; null if it is not one. It never fails, and needs no exception block, which would
-- prevent parallel plans. It replaces strings and numbers by one token each, then lists and objects too, the innermost
-- first. If a single list remains, the text is valid JSON. (Lists nested more than 20 deep are not read.)
create or replace function json_list(given text) returns jsonb
language plpgsql immutable strict parallel safe
as $$
declare
    rest     text collate "C" := given;
    shorter  text collate "C";
    scalar   constant text := '(?:""|0|true|false|null|\[\])';
    gap      constant text := '[ \t\n\r]*';
    elements constant text := scalar || '(?:' || gap || ',' || gap || scalar || ')*';
    member   constant text := '""' || gap || ':' || gap || scalar;
    members  constant text := member || '(?:' || gap || ',' || gap || member || ')*';
begin
    if rest !~ ('^' || gap || '\[') then
        return null;
    end if;
    -- U+0000 and unpaired surrogates do not match: jsonb refuses them.
    rest := regexp_replace(
        rest,
        '"(?:[^"\\\x01-\x1f]|\\["\\/bfnrt]|\\u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}'
            || '|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*"',
        '""', 'g'
    );
    rest := regexp_replace(rest, '-?(?:0|[1-9][0-9]{0,99})(?:[.][0-9]{1,99})?(?:[eE][+-]?[0-9]{1,3})?', '0', 'g');
    for depth in 1..20 loop
        shorter := regexp_replace(
            rest, '\[' || gap || '(?:' || elements || ')?' || gap || '\]|\{' || gap || '(?:' || members || ')?' || gap || '\}',
            '[]', 'g'
        );
        exit when shorter = rest;
        rest := shorter;
    end loop;
    return case when rest ~ ('^' || gap || '\[\]' || gap || '$') then given::jsonb end;
end
$$;
