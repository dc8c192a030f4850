-- Note in the receipts of erasures how many events were caught in the queue. The caller has locked their sites.
create or replace function note_caught(caught erased_events[]) returns void
language plpgsql
as $$
declare
    one erased_events;
begin
    for one in select c.* from unnest(caught) c loop
        update erasures e
        set erased = e.erased || jsonb_build_object('queue', coalesce((e.erased ->> 'queue')::bigint, 0) + one.events)
        where e.site_id = one.site_id and e.erasure_id = one.erasure_id;
    end loop;
end
$$;
