-- Correct which event of each order of a site counts, from the events. All days must be rebuilt after it. Returns how
-- many orders were wrong.
create or replace function rebuild_orders(site varchar, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    orders right_order[];
begin
    perform from sites s where s.site_id = site for update;

    orders := array(
        select (d.order_key, d.event_time, d.event_id)::right_order from different_orders(site) d
    );
    set local plan_cache_mode = force_custom_plan;
    delete from orders o
    using unnest(orders) r
    where o.site_id = site and o.order_key = r.order_key and r.event_id is null;
    insert into orders (site_id, order_key, event_time, event_id)
    select site, r.order_key, r.event_time, r.event_id
    from unnest(orders) r
    where r.event_id is not null
    on conflict (site_id, order_key) do update set event_time = excluded.event_time, event_id = excluded.event_id;
    corrected := cardinality(orders);
end
$$;
