-- kinds: a byte for each event of the user, in order of time; moments: the times of these events; starting: so many of them
-- may be the first step; steps: how many steps there are; within: how long after the first step the others may be; besides:
-- for each step all bytes of events that are not it.
--
-- A user is in a step at a moment that matches it and comes after one at which he was in the step before, and that is
-- within reach of the first step. Of all ways into a step, the one that began last can be followed for longest, and that is
-- the one over the last event of each step before: what trims bytes finds it. The result has an entry for each step that he
-- was in: the time from the last moment at which he had been in the step before to the moment at which he was in this one
-- first; for the first step, 0.
create or replace function follow_funnel(
    kinds bytea, moments timestamptz[], starting integer, steps integer, within interval, besides bytea[]
) returns interval[]
language plpgsql immutable strict parallel safe
cost 1000
as $$
declare
    taken  interval[] := array[interval '0'];
    events integer := length(kinds);
    place  integer := 0; -- of the first event with which the user was in the last step looked at
    back   integer;      -- of an event on the way to it
    at     timestamptz;  -- the times of the two, and
    before timestamptz;
    came   timestamptz;  -- when the user was in the step before, last
begin
    for step in 2..steps loop
        loop
            place := events - length(ltrim(substr(kinds, place + 1), besides[step])) + 1;
            at := moments[place];
            if at is null then
                return case
                    when step > 2 or length(rtrim(substr(kinds, 1, starting), besides[1])) > 0 then taken
                end;
            end if;
            before := at;
            back := place;
            came := null;
            if step > 2 then
                for earlier in reverse step - 1..2 loop
                    -- What happens at one moment has no order.
                    loop
                        back := length(rtrim(substr(kinds, 1, back - 1), besides[earlier]));
                        exit when back = 0 or moments[back] < before;
                    end loop;
                    exit when back = 0;
                    before := moments[back];
                    came := coalesce(came, before);
                end loop;
                continue when back = 0;
            end if;
            loop
                back := length(rtrim(substr(kinds, 1, least(back - 1, starting)), besides[1]));
                exit when back = 0 or moments[back] < before;
            end loop;
            exit when moments[back] >= at - within;
        end loop;
        taken := taken || at - coalesce(came, moments[back]);
    end loop;
    return taken;
end
$$;
