-- A text of any length as the key of an index, which holds short ones only: itself, or else its hash, which is longer than
-- any text that is short enough. (In SQL it would take ten times as long, as it cannot become part of a query.)
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
