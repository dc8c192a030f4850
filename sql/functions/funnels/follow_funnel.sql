-- How far did one user come in a funnel, and how long did each step take? Null: they did not take the first step.
--
-- kinds: one byte per event of the user, in order of time; moments: the times of these events; starting: how many of
-- the first events may be the first step; steps: the number of steps; within: the longest time from the first step to
-- the last; besides: for each step, all bytes of events that are not this step.
--
-- A user reaches a step at an event that matches it, comes after an event of the step before, and is within `within` of
-- the first step. Of all ways into a step, the one that started last leaves most time. It goes through the last event
-- of each step before, which trimming bytes finds. The result has one interval per step reached: from the user's last
-- event in the step before to their first event in this step; 0 for the first step.
create or replace function follow_funnel(
    kinds bytea, moments timestamptz[], starting integer, steps integer, within interval, besides bytea[]
) returns interval[]
language plpgsql immutable strict parallel safe
cost 1000
as $$
declare
    taken  interval[] := array[interval '0'];
    events integer := length(kinds);
    place  integer := 0; -- position of the first event in the current step
    back   integer;      -- position of an event in a step before it
    at     timestamptz;  -- time of the event at `place`
    before timestamptz;  -- time of the event at `back`
    came   timestamptz;  -- time of the user's last event in the previous step
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
                    -- Events with equal timestamps are not ordered.
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
