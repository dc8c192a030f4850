-- Does a JSON text or number hold a person's id? A number, only if it is the id. Lists and objects: no, their parts may.
create or replace function value_mentions_person(given jsonb, traces person_traces, own boolean) returns boolean
language plpgsql immutable
as $$
begin
    return case jsonb_typeof(given)
        when 'string' then mentions_person(given #>> '{}', traces, own)
        when 'number' then (own or traces.distinct_id) and given #>> '{}' = traces.user_id
        else false
    end;
end
$$;
