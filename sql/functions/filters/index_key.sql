-- A text of any length as an index key, which has to be short: the text itself, or its hash if it is too long. A hash
-- is longer than any text that is kept as it is, so the two never collide. (In plpgsql, as in SQL it takes ten times as
-- long: it cannot be inlined.)
create or replace function index_key(value text) returns text
language plpgsql immutable parallel safe
as $$
begin
    return case
        when octet_length(value) <= 64 then value
        else 'sha256:' || encode(sha256(convert_to(value, 'UTF8')), 'hex')
    end;
end
$$;
