-- Which steps of a funnel does an event match? One byte, one bit per step; the lowest bit is the first step, which an
-- event can only match if `starting` is true. steps: a JSON array of two to eight filters, see event_matches. Like
-- event_matches, this function is inlined into the calling query.
create or replace function funnel_kind(
    event_type text, path text, user_id text, visitor_id text, properties jsonb, steps jsonb, starting boolean
) returns bytea
language sql immutable parallel safe
return set_byte(
    '\x00',
    0,
    case when starting and event_matches(event_type, path, user_id, visitor_id, properties, steps -> 0) then 1 else 0 end
    | case when event_matches(event_type, path, user_id, visitor_id, properties, steps -> 1) then 2 else 0 end
    | case when jsonb_array_length(steps) > 2 and event_matches(event_type, path, user_id, visitor_id, properties, steps -> 2) then 4 else 0 end
    | case when jsonb_array_length(steps) > 3 and event_matches(event_type, path, user_id, visitor_id, properties, steps -> 3) then 8 else 0 end
    | case when jsonb_array_length(steps) > 4 and event_matches(event_type, path, user_id, visitor_id, properties, steps -> 4) then 16 else 0 end
    | case when jsonb_array_length(steps) > 5 and event_matches(event_type, path, user_id, visitor_id, properties, steps -> 5) then 32 else 0 end
    | case when jsonb_array_length(steps) > 6 and event_matches(event_type, path, user_id, visitor_id, properties, steps -> 6) then 64 else 0 end
    | case when jsonb_array_length(steps) > 7 and event_matches(event_type, path, user_id, visitor_id, properties, steps -> 7) then 128 else 0 end
);
