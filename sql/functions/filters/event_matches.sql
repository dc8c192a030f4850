-- Does an event match the filters of a report? Pass the event's known values, and null for the others.
--
-- filters: null for all events, or an object with any of: event_type_is, event_type_is_not, user_id_is, user_id_is_not,
-- visitor_id_is, visitor_id_is_not (arrays of text), path_is, path_is_not, path_contains, path_contains_not (regular expressions), properties (a path
-- predicate). A single expression without a table: PostgreSQL inlines it into the calling query, so that an absent
-- filter costs nothing.
create or replace function event_matches(
    event_type text, path text, user_id text, visitor_id text, properties jsonb, filters jsonb
) returns boolean
language sql immutable parallel safe
return filters is null or (
    (filters -> 'event_type_is' is null or filters -> 'event_type_is' ? event_type)
    and (filters -> 'event_type_is_not' is null or not filters -> 'event_type_is_not' ? event_type)
    and (filters -> 'user_id_is' is null or coalesce(filters -> 'user_id_is' ? user_id, false))
    and (filters -> 'user_id_is_not' is null or not coalesce(filters -> 'user_id_is_not' ? user_id, false))
    and (filters -> 'visitor_id_is' is null or coalesce(filters -> 'visitor_id_is' ? visitor_id, false))
    and (filters -> 'visitor_id_is_not' is null or not coalesce(filters -> 'visitor_id_is_not' ? visitor_id, false))
    and (filters ->> 'path_is' is null or path ~ (filters ->> 'path_is'))
    and (filters ->> 'path_is_not' is null or path !~ (filters ->> 'path_is_not'))
    and (filters ->> 'path_contains' is null or path ~ (filters ->> 'path_contains'))
    and (filters ->> 'path_contains_not' is null or path !~ (filters ->> 'path_contains_not'))
    and (
        filters ->> 'properties' is null
        or coalesce(coalesce(properties, '{}') @@ (filters ->> 'properties')::jsonpath, false)
    )
);
