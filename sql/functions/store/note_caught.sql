-- Note in the receipts of erasures how many events were caught in the queue. One of which a visitor was not known is left
-- to do again, for the pseudonym. The caller has locked their sites.
create or replace function note_caught(caught erased_events[]) returns void
language plpgsql
as $$
declare
    one erased_events;
begin
    for one in select c.* from unnest(caught) c loop
        update erasures e
        set
            erased = e.erased || jsonb_build_object('queue', coalesce((e.erased ->> 'queue')::bigint, 0) + one.events),
            user_id = coalesce(one.again, e.user_id),
            done_at = case when one.again is null then e.done_at end,
            vacuumed_at = case when one.again is null then e.vacuumed_at end
        where e.site_id = one.site_id and e.erasure_id = one.erasure_id;
    end loop;
end
$$;
