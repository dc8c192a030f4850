-- The same of what user_months says, where most users need not be followed: a pattern tells that they took the first step
-- at most, or the first time that they did what the second step is, they had just done what the first step is.
--
-- firsts: patterns of `like` for kinds that have an event that is the first step, any of them; reaches: a pattern for each
-- step from the second on, which kinds match that came as far as that, and maybe others; opening: the kinds of the first
-- two steps, where they are one each. Like event_matches, it becomes part of the query.
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
        kinds || '', moments, starting, -- in memory, as it is read from several times
        2 + (kinds like reaches[2] is true)::integer + (kinds like reaches[3] is true)::integer
        + (kinds like reaches[4] is true)::integer + (kinds like reaches[5] is true)::integer
        + (kinds like reaches[6] is true)::integer + (kinds like reaches[7] is true)::integer,
        within, besides
    )
end;
