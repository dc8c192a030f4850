-- Which events of a batch were stored before, given that clients may have sent ids that we made? If the batch has an id
-- both from us and from a client, ours counts as the first. The caller has locked the batch's sites.
create or replace function repeated_made_ids(batch jsonb) returns event_key[]
language plpgsql stable
as $$
declare
    ours event_key[];
    theirs event_key[];
    repeated event_key[];
begin
    select
        array_agg((site_id, event_id, true)::event_key) filter (where id_made),
        array_agg((site_id, event_id, false)::event_key) filter (
            where id_made is not true and event_id::text like '______________7e1d-9e1d-%'
        )
    into ours, theirs
    from jsonb_to_recordset(batch) e (site_id varchar(255) collate "C", event_id uuid, id_made boolean);

    select array_agg((e.site_id, e.event_id, false)::event_key)
    into repeated
    from events e
    join unnest(theirs) t on t.site_id = e.site_id and t.event_id = e.event_id;

    select repeated || array_agg((i.site_id, i.event_id, true)::event_key)
    into repeated
    from event_ids i
    join unnest(ours) o on o.site_id = i.site_id and o.event_id = i.event_id
    where i.made;

    return repeated || array(
        select (t.site_id, t.event_id, false)::event_key
        from unnest(theirs) t
        join unnest(ours) o on o.site_id = t.site_id and o.event_id = t.event_id
    );
end
$$;
