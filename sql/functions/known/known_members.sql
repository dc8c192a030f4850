-- The members of these names of an event's `agent` or `origin`, in this order; empty where it says nothing.
create or replace function known_members(given jsonb, names text[]) returns text[]
language plpgsql immutable parallel safe
as $$
declare
    members text[] := '{}';
    name text;
begin
    foreach name in array names loop
        members := members || case jsonb_typeof(given -> name) when 'string' then left(given ->> name, 255) else '' end;
    end loop;
    return members;
end
$$;
