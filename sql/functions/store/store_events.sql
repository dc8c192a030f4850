-- Store the new events of a batch, with all rollups.
--
-- batch: a JSON array of events as the queue carries them; present: the current time. Returns how many events the batch
-- had and how many of them were new. Its settings also apply to all functions that it calls.
create or replace function store_events(batch jsonb, present timestamptz, out received bigint, out stored bigint)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_mergejoin = off
as $$
declare
    given_days received_day[];
    fresh_days received_day[];
    fresh fresh_event[];
    sales new_sale[];
    seen seen_visitor[];
    known known_pair[];
    some_late boolean;
begin
    received := jsonb_array_length(batch);
    -- A plan for any batch takes arrays for ten rows. With many events it joins them row by row, which takes their product
    -- once the planner knows how small `sites` is; with few it saves planning, which takes longer than storing them.
    if received >= 300 then
        set local plan_cache_mode = force_custom_plan;
    end if;
    select i.given_days, i.fresh, i.sales, i.seen, i.known
    into given_days, fresh, sales, seen, known
    from insert_new_events(batch, present) i;

    stored := coalesce(cardinality(fresh), 0);
    fresh_days := given_days;
    if stored < received then
        select array_agg((d.site_id, d.day, d.events)::received_day)
        into fresh_days
        from (
            select site_id, (received_at at time zone 'UTC')::date as day, count(*) as events
            from unnest(fresh)
            group by 1, 2
        ) d;
    end if;

    if known is not null then
        perform note_known(fresh, known);
    end if;
    -- Before visitors are linked, which moves these orders too.
    if sales is not null then
        perform add_sales(sales);
    end if;
    if seen is not null then
        select l.fresh into fresh from link_visitors(seen, present, fresh) l;
    end if;
    some_late := add_to_days(fresh, given_days, fresh_days);
    if some_late then
        perform add_late_events(fresh);
    end if;
end
$$;
