-- What to look for to find a person in paths and properties: their id, and those of their visitors.
--
-- An id of fewer than four characters, or of fewer than five if all are digits, occurs by chance: it is looked for in
-- the person's own events only, and there only as a whole value or a whole part of an address. Such an id of a visitor
-- is not looked for.
create or replace function traces_of_person(user_id text, pseudonym text, visitors text[] default '{}')
returns person_traces
language plpgsql immutable
as $$
declare
    traces person_traces;
    choice text;
begin
    traces.user_id := user_id;
    traces.visitors := visitors;
    traces.pseudonym := pseudonym;
    traces.distinct_id := is_distinct_id(user_id);
    traces.spellings := array(
        select distinct s.spelling collate "C" as spelling
        from unnest(user_id || visitors) with ordinality i (id, place)
        cross join lateral unnest(spellings_of(i.id)) s (spelling)
        where i.place = 1 or is_distinct_id(i.id)
        order by spelling
    );
    select string_agg(regexp_replace(s, '([][\\^$.|?*+(){}/#-])', '\\\1', 'g'), '|' order by length(s) desc, s)
    into choice
    from unnest(traces.spellings) s;
    traces.in_path := format('(^|[/?&=#;:,])(?:%s)(?=[/?&=#;:,]|$)', choice);
    traces.in_text := format('(?<![A-Za-z0-9])(?:%s)(?![A-Za-z0-9])', choice);
    traces.orders := '{}';
    return traces;
end
$$;
