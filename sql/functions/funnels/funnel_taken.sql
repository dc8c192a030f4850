-- The same as follow_funnel, for rows of user_months, of which most need not be followed. Patterns detect two simple
-- cases: the user took no step beyond the first; or the user's first event of the second step came right after an event
-- of the first step.
--
-- firsts: `like` patterns that match kinds with an event of the first step (any of them suffices); reaches: one pattern
-- per step from the second on: it matches all kinds that reached this step, and perhaps others; opening: the kinds of
-- the first two steps, if each is a single event type. Like event_matches, this function is inlined into the calling
-- query.
create or replace function funnel_taken(
    kinds bytea, moments timestamptz[], starting integer, within interval,
    besides bytea[], firsts bytea[], reaches bytea[], opening bytea
) returns interval[]
language sql immutable parallel safe
return case
    when not kinds like reaches[1] then
        case when substr(kinds, 1, starting) like any (firsts) then array[interval '0'] end
    when not kinds like reaches[2] is true
        and substr(kinds, position(substr(opening, 2) in kinds) - 1, 2) = opening
        and position(substr(opening, 2) in kinds) <= starting
        and moments[position(substr(opening, 2) in kinds)] > moments[position(substr(opening, 2) in kinds) - 1]
        and moments[position(substr(opening, 2) in kinds)] - moments[position(substr(opening, 2) in kinds) - 1] <= within
    then array[
        interval '0',
        moments[position(substr(opening, 2) in kinds)] - moments[position(substr(opening, 2) in kinds) - 1]
    ]
    else follow_funnel(
        kinds || '', moments, starting, -- detoasted once, as it is read several times
        2 + (kinds like reaches[2] is true)::integer + (kinds like reaches[3] is true)::integer
        + (kinds like reaches[4] is true)::integer + (kinds like reaches[5] is true)::integer
        + (kinds like reaches[6] is true)::integer + (kinds like reaches[7] is true)::integer,
        within, besides
    )
end;
