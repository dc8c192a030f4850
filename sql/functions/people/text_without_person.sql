-- A text of an agent or an origin, or `(erased)` if it holds a person's id.
create or replace function text_without_person(given text, traces person_traces) returns text
language plpgsql immutable
as $$
begin
    return case when mentions_person(given, traces, false) then '(erased)' else given end;
end
$$;
