-- Does a text hold a person's id? own: a text of one of the person's own events.
create or replace function mentions_person(given text, traces person_traces, own boolean) returns boolean
language plpgsql immutable
as $$
declare
    spelling text;
begin
    if not own then
        return traces.distinct_id and given collate "C" ~ traces.in_text;
    end if;
    if not traces.distinct_id then
        return given collate "C" ~ traces.in_path;
    end if;
    foreach spelling in array traces.spellings loop
        if strpos(given collate "C", spelling) > 0 then
            return true;
        end if;
    end loop;
    return false;
end
$$;
