-- A batch without the people who were erased after its events had been accepted (event_without_person). known: the
-- pseudonyms of all erased people of its sites; caught: how many events were of them, by erasure.
--
-- Who was a visitor of theirs only these events may tell. Such a visitor stays in them, so that the pseudonym gets what
-- the visitor did before and after, and the erasure is done again (note_caught).
create or replace function without_erased(given jsonb, out batch jsonb, out known text[], out caught erased_events[])
language plpgsql
as $$
#variable_conflict use_column
declare
    sites text[];
    key_sites text[];
    keys bytea[];
    places bigint[];
    cleaned jsonb[];
    of_sites text[];
    erasures uuid[];
    pseudonyms text[];
    visitors text[];
    place integer;
begin
    batch := given;
    sites := array(
        select distinct e.site_id from jsonb_to_recordset(given) e (site_id text) where e.site_id is not null
    );
    known := array(select p.pseudonym from erased_people p where p.site_id = any (sites));
    if known = '{}' then
        return;
    end if;
    select array_agg(s.site_id order by s.site_id), array_agg(s.person_key order by s.site_id)
    into key_sites, keys
    from sites s
    where s.site_id = any (sites) and s.person_key is not null;

    with found as materialized (
        -- By the user first: who sent it is who the user is, whatever the visitor was. Who was a visitor of an erased
        -- person may be somebody else as a user.
        select distinct on (e.place)
            e.place, e.event, p.site_id, p.erasure_id, p.pseudonym, w.id,
            case when n.rank = 1 then nullif(e.event ->> 'visitor_id', w.id) end as visitor, k.person_key
        from unnest(key_sites, keys) k (site_id, person_key)
        join jsonb_array_elements(given) with ordinality e (event, place) on e.event ->> 'site_id' = k.site_id
        cross join (values ('user_id', 1), ('visitor_id', 2), ('visitor_id', 3)) n (name, rank)
        cross join lateral (select e.event ->> n.name as id) w
        cross join lateral (
            select case n.rank when 3 then visitor_hash(k.person_key, w.id) else person_hash(k.person_key, w.id) end as person
        ) h
        join erased_people p on p.site_id = k.site_id and p.person = h.person
            and (e.event ->> 'received_at')::timestamptz < p.erased_at
        order by e.place, n.rank
    )
    select
        array_agg(f.place order by f.place),
        array_agg(
            event_without_person(f.event, traces_of_person(f.id, f.pseudonym, array_remove(array[f.event ->> 'visitor_id'], null)))
            order by f.place
        ),
        array_agg(f.site_id order by f.place),
        array_agg(f.erasure_id order by f.place),
        array_agg(f.pseudonym order by f.place),
        array_agg(case when h.person is null then f.visitor end order by f.place)
    into places, cleaned, of_sites, erasures, pseudonyms, visitors
    from found f
    left join erased_people h on h.person = visitor_hash(f.person_key, f.visitor);
    if places is null then
        return;
    end if;

    -- A visitor who is somebody stays theirs. An inner join on purpose: Citus ships it to the shards.
    for place in
        select f.place
        from visitors v
        join unnest(of_sites, visitors) with ordinality f (site_id, visitor_id, place)
            on f.site_id = v.site_id and f.visitor_id = v.visitor_id
    loop
        visitors[place] := null;
    end loop;
    caught := array(
        select (
            f.site_id, f.erasure_id, count(*), max(f.pseudonym) filter (where f.visitor is not null)
        )::erased_events
        from unnest(of_sites, erasures, pseudonyms, visitors) f (site_id, erasure_id, pseudonym, visitor)
        group by f.site_id, f.erasure_id
        order by f.site_id, f.erasure_id
    );
    batch := (
        select jsonb_agg(
            coalesce(
                c.event || case when c.visitor is null then '{}' else jsonb_build_object('visitor_id', c.visitor) end,
                e.event
            )
            order by e.place
        )
        from jsonb_array_elements(given) with ordinality e (event, place)
        left join unnest(places, cleaned, visitors) c (place, event, visitor) on c.place = e.place
    );
end
$$;
