-- How did a user get through a funnel of up to eight steps? Instead of an aggregate (0008), which copied its state for every
-- event, a function of all the moments of one user: a pure function of its arguments, which reads no table.
drop aggregate funnel_times(timestamptz, integer, interval);
drop function follow_funnel(timestamptz[], timestamptz, integer, interval);

-- moments: the moments at which a user did something, in order, each as microseconds since 1970 times 256, plus the steps
-- that it matches, the lowest bit for the first one; steps: how many steps there are; within: how long after the first
-- step the others may be, in microseconds.
--
-- A user is in a step at a moment that matches it and comes after one at which he was in the step before, and that is
-- within reach of the first step. Of all ways into a step, the one that began last can be followed for longest, so that
-- it alone is remembered. The result has an entry for each step that he was in: the microseconds from the last moment at
-- which he had been in the step before to the moment at which he was in this one first; for the first step, 0.
create function follow_funnel(moments bigint[], steps integer, within bigint) returns bigint[]
language plpgsql immutable parallel safe
as $$
declare
    taken    bigint[] := array_fill(null::bigint, array[steps]);
    began    bigint[] := array_fill(null::bigint, array[steps]); -- when the way into each step began, and
    came     bigint[] := array_fill(null::bigint, array[steps]); -- when it last came to the step
    started  bigint;   -- the same for the first step
    moment   bigint;
    at       bigint;
    matched  integer;
    now_at   bigint := moments[1] >> 8;
    now_step integer := 0;
begin
    -- What happens at one moment has no order: it is looked at when the next one, or the end, is reached.
    foreach moment in array moments || (9223372036854775807) loop
        at := moment >> 8;
        matched := moment & 255;
        if at = now_at then
            now_step := now_step | matched;
            continue;
        end if;
        if now_step = 1 then
            started := now_at;
        else
            -- From the last step to the first, so that no moment is two steps of a way.
            for step in reverse steps..3 loop
                if now_step >> (step - 1) & 1 = 1 and began[step - 1] >= now_at - within then
                    if taken[step] is null then
                        taken[step] := now_at - came[step - 1];
                        if step = steps then
                            taken[1] := 0;
                            return taken;
                        end if;
                    end if;
                    began[step] := began[step - 1];
                    came[step] := now_at;
                end if;
            end loop;
            if now_step & 2 = 2 and started >= now_at - within then
                if taken[2] is null then
                    taken[2] := now_at - started;
                    if steps = 2 then
                        taken[1] := 0;
                        return taken;
                    end if;
                end if;
                began[2] := started;
                came[2] := now_at;
            end if;
            if now_step & 1 = 1 then
                started := now_at;
            end if;
        end if;
        now_at := at;
        now_step := matched;
    end loop;
    if started is not null then
        taken[1] := 0;
    end if;
    return taken;
end
$$;
