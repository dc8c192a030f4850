-- A path without a person's id: `/account/customer-17` becomes `/account/erased`. own: an event of the person's has
-- this path; then the id goes from within words as well.
create or replace function path_without_person(path text, traces person_traces, own boolean) returns text
language plpgsql immutable
as $$
declare
    cleaned text := regexp_replace(path collate "C", traces.in_path, '\1erased', 'g');
    spelling text;
begin
    if own and traces.distinct_id then
        foreach spelling in array traces.spellings loop
            cleaned := replace(cleaned, spelling, 'erased');
        end loop;
    end if;
    -- A path that is longer than an index can hold becomes one that is not.
    if octet_length(cleaned) > 2048 then
        return '/erased';
    end if;
    return cleaned;
end
$$;
