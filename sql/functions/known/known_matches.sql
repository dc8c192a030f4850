-- Do the members of an agent or an origin, of these names, match the filters of visits: an object of conditions
-- (text_matches) by name?
create or replace function known_matches(names text[], members text[], filters jsonb) returns boolean
language plpgsql immutable parallel safe
as $$
begin
    for place in 1 .. cardinality(names) loop
        if not text_matches(members[place], filters -> names[place]) then
            return false;
        end if;
    end loop;
    return true;
end
$$;
