-- Differences of product_days: where do its rows of these days differ from the orders? See sql/README.md, "Recounts".
create or replace function different_product_days(site varchar, first_day date, last_day date)
returns table (
    day date, currency text, product_key text, product text, name text,
    says bigint, says_quantity numeric, says_revenue numeric, should bigint, quantity numeric, revenue numeric
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    counted judged_sale[];
begin
    counted := array(
        select (
            j.site_id, j.event_id, j.event_time, j.day, j.what, j.outcome, j.currency, j.amount, j.lines, j.times
        )::judged_sale
        from judged_sales(site, first_day, last_day) j
        where j.what = 'order' and j.outcome = 'counted'
    );
    return query
    select
        coalesce(s.day, r.day), coalesce(s.currency, r.currency), coalesce(s.product_key, r.product_key),
        coalesce(r.product, s.product), case when r.day is null then s.name else r.name end,
        s.orders, s.quantity, s.revenue, r.orders, r.quantity, r.revenue
    from (
        select day, currency, product_key, product, name, orders, quantity, revenue
        from product_days
        where site_id = site and day between first_day and last_day
            and day >= (select coalesce(k.first_kept, '-infinity') from kept_days k where k.site_id = site)
    ) s
    full join (
        select
            day, currency, index_key(jsonb_build_array(product, name)::text) collate "C" as product_key, product, name,
            count(*) as orders, sum(quantity) as quantity, sum(revenue) as revenue
        from (
            select
                j.day, j.currency, l.product collate "C" as product, max(l.name collate "C") as name,
                sum(l.quantity) as quantity, sum(l.revenue) as revenue
            from unnest(counted) j
            cross join lateral read_lines(j.lines) l
            where l.fault is null
            group by j.day, j.event_id, j.event_time, j.currency, l.product collate "C"
        ) of_orders
        group by day, currency, product, name
    ) r on r.day = s.day and r.currency = s.currency and r.product_key = s.product_key
    where (s.product, s.name, s.orders, s.quantity, s.revenue)
        is distinct from (r.product, r.name, r.orders, r.quantity, r.revenue);
end
$$;
