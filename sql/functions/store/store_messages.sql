-- Store the events of some messages. Raises a unique violation if one of the messages is processed already.
-- ids: the messages' ids; batch: all their events in one JSON array; present: the current time. Returns the result of
-- store_events.
create or replace function store_messages(ids uuid[], batch jsonb, present timestamptz, out received bigint, out stored bigint)
language plpgsql
as $$
begin
    insert into settled_messages (message_id, settled_at)
    select id, present
    from unnest(ids) id
    order by id;

    select s.received, s.stored into received, stored
    from store_events(batch, present) s;
end
$$;
