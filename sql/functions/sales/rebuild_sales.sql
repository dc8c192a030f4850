-- Correct sale_days, product_days and counted_orders for these days from the events; see rebuild_days. Returns how many rows were
-- wrong.
create or replace function rebuild_sales(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    sales right_sale_day[];
    products right_product_day[];
    orders right_counted_order[];
begin
    perform from sites s where s.site_id = site for update;

    sales := array(
        select (d.day, d.what, d.outcome, d.currency, d.should, d.amount)::right_sale_day
        from different_sale_days(site, first_day, last_day) d
    );
    products := array(
        select (
            d.day, d.currency, d.product_key, d.product, d.name, d.should, d.quantity, d.revenue
        )::right_product_day
        from different_product_days(site, first_day, last_day) d
    );

    orders := array(
        select (d.event_time, d.event_id, d.user_id, d.currency, d.amount, d.counted)::right_counted_order
        from different_counted_orders(site, first_day, last_day) d
    );

    set local plan_cache_mode = force_custom_plan;
    delete from sale_days s
    using unnest(sales) r
    where s.site_id = site and s.day between first_day and last_day
        and s.day = r.day and s.what = r.what and s.outcome = r.outcome and s.currency = r.currency and r.events is null;
    insert into sale_days (site_id, day, what, outcome, currency, events, amount)
    select site, r.day, r.what, r.outcome, r.currency, r.events, r.amount
    from unnest(sales) r
    where r.events is not null
    on conflict (site_id, day, what, outcome, currency) do update set
        events = excluded.events,
        amount = excluded.amount;

    delete from product_days p
    using unnest(products) r
    where p.site_id = site and p.day between first_day and last_day
        and p.day = r.day and p.currency = r.currency and p.product_key = r.product_key and r.orders is null;
    insert into product_days (site_id, day, currency, product_key, product, name, orders, quantity, revenue)
    select site, r.day, r.currency, r.product_key, r.product, r.name, r.orders, r.quantity, r.revenue
    from unnest(products) r
    where r.orders is not null
    on conflict (site_id, day, currency, product_key) do update set
        product = excluded.product,
        name = excluded.name,
        orders = excluded.orders,
        quantity = excluded.quantity,
        revenue = excluded.revenue;

    delete from counted_orders o
    using unnest(orders) r
    where o.site_id = site and o.event_time = r.event_time and o.event_id = r.event_id;
    insert into counted_orders (site_id, event_time, event_id, user_id, currency, amount)
    select site, r.event_time, r.event_id, r.user_id, r.currency, r.amount
    from unnest(orders) r
    where r.is_right;

    corrected := cardinality(sales) + cardinality(products) + cardinality(orders);
end
$$;
