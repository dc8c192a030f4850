-- Does a batch have events that carry an id of our form (made_id in db/events/event.py), sent by a client?
create or replace function has_made_ids_of_clients(batch jsonb, out has_some boolean)
language plpgsql immutable
as $$
begin
    select bool_or(e.id_made is not true and e.event_id::text like '______________7e1d-9e1d-%') is true
    into has_some
    from jsonb_to_recordset(batch) e (event_id uuid, id_made boolean);
end
$$;
