-- A batch without the people who were erased after its events had been accepted (event_without_person). known: the
-- pseudonyms of all erased people of its sites; caught: how many events were of them, by erasure.
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
        select distinct on (e.place) e.place, e.event, p.site_id, p.erasure_id, p.pseudonym, w.id
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
        (select array_agg(f.place order by f.place) from found f),
        (
            select array_agg(
                event_without_person(f.event, traces_of_person(f.id, f.pseudonym, array_remove(array[f.event ->> 'visitor_id'], null)))
                order by f.place
            )
            from found f
        ),
        (
            select array_agg((c.site_id, c.erasure_id, c.events)::erased_events order by c.site_id, c.erasure_id)
            from (select f.site_id, f.erasure_id, count(*) as events from found f group by 1, 2) c
        )
    into places, cleaned, caught;
    if places is not null then
        batch := (
            select jsonb_agg(coalesce(c.event, e.event) order by e.place)
            from jsonb_array_elements(given) with ordinality e (event, place)
            left join unnest(places, cleaned) c (place, event) on c.place = e.place
        );
    end if;
end
$$;
