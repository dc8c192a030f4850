-- An event as the queue carries it, without a person: theirs gets the pseudonym and keeps what reports count by; one of
-- somebody else loses what holds the person's id.
create or replace function event_without_person(event jsonb, traces person_traces) returns jsonb
language plpgsql immutable
as $$
declare
    own boolean := coalesce(event ->> 'user_id' = traces.user_id, false)
        or event ->> 'user_id' is null and event ->> 'visitor_id' = any (traces.user_id || traces.visitors);
    order_id text := given_order_id(case when jsonb_typeof(event -> 'properties') = 'object' then event -> 'properties' end);
begin
    if traces.distinct_id and mentions_person(order_id, traces, own) then
        traces.orders := traces.orders || order_id;
    end if;
    if own or event ->> 'visitor_id' = any (traces.user_id || traces.visitors) then
        event := event - 'visitor_id';
    end if;
    if own then
        event := event || jsonb_build_object('user_id', traces.pseudonym);
    end if;
    if jsonb_typeof(event -> 'path') = 'string' and (own or traces.distinct_id) then
        event := event || jsonb_build_object('path', path_without_person(event ->> 'path', traces, own));
    end if;
    if jsonb_typeof(event -> 'agent') = 'object' then
        event := event || jsonb_build_object('agent', known_without_person(event -> 'agent', traces, own));
    end if;
    if jsonb_typeof(event -> 'origin') = 'object' then
        event := event || jsonb_build_object('origin', known_without_person(event -> 'origin', traces, own));
    end if;
    if jsonb_typeof(event -> 'properties') = 'object' then
        event := event || jsonb_build_object(
            'properties', properties_without_person(event -> 'properties', traces, own, 'top')
        );
    end if;
    return event;
end
$$;
