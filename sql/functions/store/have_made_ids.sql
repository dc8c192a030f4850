-- Did clients of these sites recently send ids of our form? Forced to use the partial index: without statistics the
-- planner would read the whole table at each flush.
create or replace function have_made_ids(sites text[], out have boolean)
language plpgsql stable
set enable_seqscan = off
as $$
begin
    have := exists (select 1 from event_ids i where i.made and i.site_id = any (sites));
end
$$;
