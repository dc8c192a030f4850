-- Did clients of these sites lately send ids that have the form of ours? Only by the index of those, however little the
-- planner knows of the table: all its rows would be read at each flush.
create or replace function have_made_ids(sites text[], out have boolean)
language plpgsql stable
set enable_seqscan = off
as $$
begin
    have := exists (select 1 from event_ids i where i.made and i.site_id = any (sites));
end
$$;
