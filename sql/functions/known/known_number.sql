-- The number of an agent or an origin with these members (known_members): a hash of them, so that whoever stores events
-- numbers them without asking anybody. Null: it says nothing.
create or replace function known_number(members text[]) returns bigint
language plpgsql immutable parallel safe
as $$
begin
    if array_remove(members, '') = '{}' then
        return null;
    end if;
    return ('x' || left(encode(sha256(convert_to(members::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint;
end
$$;
