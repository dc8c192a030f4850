-- How did a user get through a funnel of up to eight steps? An aggregate over the moments of one user, each once and in
-- order: a pure function of its arguments, which reads no table.
--
-- moment: a time at which the user did something; steps: which steps that matches, the lowest bit for the first one;
-- within: how long after the first step the others may be, in seconds, as an interval of days depends on the clocks.
--
-- A user is in a step at a moment that matches it and comes after one at which he was in the step before, and that is
-- within reach of the first step. Of all ways into a step, the one that began last can be followed for longest, so that
-- it alone is remembered. The state, which is also the result, has an entry for each step in each of four rows:
-- [1] when that way began; [2] when it last came to the step; [3] when the user was in the step first; [4] when he had
-- been in the step before that, last.
create function follow_funnel(state timestamptz[], moment timestamptz, steps integer, within interval)
returns timestamptz[]
language plpgsql immutable parallel safe
as $$
begin
    -- From the last step to the first, so that no moment is two steps of a way.
    if steps > 1 then
        for step in reverse 8..2 loop
            if steps >> (step - 1) & 1 = 1 and state[1][step - 1] >= moment - within then
                if state[3][step] is null then
                    state[3][step] := moment;
                    state[4][step] := state[2][step - 1];
                end if;
                state[1][step] := state[1][step - 1];
                state[2][step] := moment;
            end if;
        end loop;
    end if;
    if steps & 1 = 1 then
        state[1][1] := moment;
        state[2][1] := moment;
    end if;
    return state;
end
$$;

create aggregate funnel_times(moment timestamptz, steps integer, within interval) (
    sfunc = follow_funnel,
    stype = timestamptz[],
    initcond = '{
        {null, null, null, null, null, null, null, null},
        {null, null, null, null, null, null, null, null},
        {null, null, null, null, null, null, null, null},
        {null, null, null, null, null, null, null, null}
    }',
    parallel = safe
);
