-- How did a user get through a funnel of up to eight steps? Instead of an aggregate (0008), which copied its state for every
-- event, a function of all that one user did.
drop aggregate funnel_times(timestamptz, integer, interval);
drop function follow_funnel(timestamptz[], timestamptz, integer, interval);

-- kinds: a byte for each event of the user, in order of time: which steps it is, the lowest bit for the first one; moments:
-- the times of these events; steps: how many steps there are; within: how long after the first step the others may be.
--
-- A user is in a step at a moment that matches it and comes after one at which he was in the step before, and that is
-- within reach of the first step. Of all ways into a step, the one that began last can be followed for longest, so that
-- it alone is remembered. The result has an entry for each step that he was in: the time from the last moment at which
-- he had been in the step before to the moment at which he was in this one first; for the first step, 0.
create function follow_funnel(kinds bytea, moments timestamptz[], steps integer, within interval) returns interval[]
language plpgsql immutable strict parallel safe
as $$
declare
    taken    interval[];
    began    timestamptz[]; -- when the way into each step but the first began, and
    came     timestamptz[]; -- when it last came to the step
    started  timestamptz;   -- the same for the first step
    events   integer := length(kinds);
    place    integer := 1;  -- of the first event not looked at yet
    last     integer;       -- the last of those from there that are the first step and no other
    now_at   timestamptz;
    now_step integer;
begin
    while place <= events loop
        -- Most events of most funnels are the first step only: what trims bytes skips them.
        last := events - length(ltrim(substr(kinds, place), '\x01'));
        if last = events then
            started := moments[events];
            exit;
        end if;
        -- What happens at one moment has no order.
        now_at := moments[last + 1];
        now_step := 0;
        while last >= place and moments[last] = now_at loop
            last := last - 1;
        end loop;
        if last >= place then
            started := moments[last];
        end if;
        place := last + 1;
        while moments[place] = now_at loop
            now_step := now_step | get_byte(kinds, place - 1);
            place := place + 1;
        end loop;
        -- From the last step to the first, so that no moment is two steps of a way.
        for step in reverse steps..3 loop
            if now_step >> (step - 1) & 1 = 1 and began[step - 1] >= now_at - within then
                if taken[step] is null then
                    taken[step] := now_at - came[step - 1];
                end if;
                began[step] := began[step - 1];
                came[step] := now_at;
            end if;
        end loop;
        if now_step & 2 = 2 and started >= now_at - within then
            if taken[2] is null then
                taken[2] := now_at - started;
            end if;
            began[2] := started;
            came[2] := now_at;
        end if;
        if now_step & 1 = 1 then
            started := now_at;
        end if;
        exit when taken[steps] is not null;
    end loop;
    if started is not null then
        taken[1] := '0';
    end if;
    return taken;
end
$$;

-- Which steps, a bit each, is an event? A byte, the lowest bit for the first step, which an event can be only where starting
-- is true. steps: a JSON array of two to eight filters, see event_matches; and like that, it becomes part of the query.
create function funnel_kind(
    event_type text, path text, user_id text, properties jsonb, steps jsonb, starting boolean
) returns bytea
language sql immutable parallel safe
return set_byte(
    '\x00',
    0,
    case when starting and event_matches(event_type, path, user_id, properties, steps -> 0) then 1 else 0 end
    | case when event_matches(event_type, path, user_id, properties, steps -> 1) then 2 else 0 end
    | case when jsonb_array_length(steps) > 2 and event_matches(event_type, path, user_id, properties, steps -> 2) then 4 else 0 end
    | case when jsonb_array_length(steps) > 3 and event_matches(event_type, path, user_id, properties, steps -> 3) then 8 else 0 end
    | case when jsonb_array_length(steps) > 4 and event_matches(event_type, path, user_id, properties, steps -> 4) then 16 else 0 end
    | case when jsonb_array_length(steps) > 5 and event_matches(event_type, path, user_id, properties, steps -> 5) then 32 else 0 end
    | case when jsonb_array_length(steps) > 6 and event_matches(event_type, path, user_id, properties, steps -> 6) then 64 else 0 end
    | case when jsonb_array_length(steps) > 7 and event_matches(event_type, path, user_id, properties, steps -> 7) then 128 else 0 end
);
