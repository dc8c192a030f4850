-- An agent or origin of an event, without the members that hold a person's id. own: of an event of the person's.
create or replace function known_without_person(given jsonb, traces person_traces, own boolean) returns jsonb
language plpgsql immutable
as $$
begin
    return (
        select coalesce(jsonb_object_agg(m.key, m.value order by m.key collate "C"), '{}')
        from jsonb_each(given) m
        where not value_mentions_person(m.value, traces, own)
    );
end
$$;
