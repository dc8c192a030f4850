-- Add new orders and refunds to their rollups. The caller has locked their sites.
--
-- If a new event precedes the event by which its order was counted, the earlier count is reversed. That event can still
-- be read: anything stored is later than all expired events.
create or replace function add_sales(sent new_sale[]) returns void
language plpgsql
as $$
declare
    changes judged_sale[];
    replaced judged_sale[];
    one judged_sale;
begin
    with judged as materialized (
        select s.site_id, s.event_id, s.event_time, (s.event_time at time zone z.timezone)::date as day, j.*
        from unnest(sent) s
        join sites z on z.site_id = s.site_id
        cross join lateral judge_sale(s.event_type, s.properties) j
    ),
    firsts as materialized (
        select distinct on (site_id, order_key) site_id, order_key, event_time, event_id
        from judged
        where order_key is not null
        order by site_id, order_key, event_time, event_id
    ),
    known as materialized (
        select o.site_id, o.order_key, o.event_time, o.event_id
        from orders o
        join firsts f on f.site_id = o.site_id and f.order_key = o.order_key
    ),
    counting as materialized (
        select f.site_id, f.order_key, f.event_time, f.event_id, k.event_time as known_time, k.event_id as known_id
        from firsts f
        left join known k on k.site_id = f.site_id and k.order_key = f.order_key
        where k.order_key is null or (f.event_time, f.event_id) < (k.event_time, k.event_id)
    ),
    put as (
        insert into orders (site_id, order_key, event_time, event_id)
        select site_id, order_key, event_time, event_id
        from counting
        on conflict (site_id, order_key) do update set event_time = excluded.event_time, event_id = excluded.event_id
    )
    select
        (
            select array_agg((
                j.site_id, j.event_id, j.event_time, j.day, j.what,
                case when j.order_key is null or c.order_key is not null then j.outcome else 'repeated' end,
                j.currency, j.amount, j.lines, 1
            )::judged_sale)
            from judged j
            left join counting c on c.site_id = j.site_id and c.event_id = j.event_id and c.event_time = j.event_time
        ),
        (
            select array_agg((c.site_id, c.known_id, c.known_time, null, null, null, null, null, null, null)::judged_sale)
            from counting c
            where c.known_id is not null
        )
    into changes, replaced;

    for one in
        select r.* from unnest(replaced) r
    loop
        changes := changes || array(
            select (
                e.site_id, e.event_id, e.event_time, (e.event_time at time zone z.timezone)::date, j.what,
                new.outcome, j.currency, j.amount, j.lines, new.times
            )::judged_sale
            from events e
            join sites z on z.site_id = e.site_id
            cross join lateral judge_sale(e.event_type, e.properties) j
            cross join (values ('counted', -1), ('repeated', 1)) new (outcome, times)
            where e.site_id = one.site_id and e.event_id = one.event_id and e.event_time = one.event_time
        );
    end loop;

    delete from counted_orders o
    using unnest(changes) c
    where o.site_id = c.site_id and o.event_time = c.event_time and o.event_id = c.event_id
        and c.what = 'order' and c.outcome = 'counted' and c.times < 0;
    -- Of an event that is sent again after it has expired, the row is still there: add_to_days refuses it, and says why.
    insert into counted_orders (site_id, event_time, event_id, user_id, currency, amount)
    select c.site_id, c.event_time, c.event_id, s.user_id, c.currency, c.amount
    from unnest(changes) c
    join unnest(sent) s on s.site_id = c.site_id and s.event_time = c.event_time and s.event_id = c.event_id
    where c.what = 'order' and c.outcome = 'counted' and c.times > 0
    on conflict do nothing;

    with sales as materialized (
        select * from unnest(changes)
    ),
    bought as materialized (
        select s.site_id, s.day, s.event_id, s.event_time, s.currency, s.times, l.*
        from sales s
        cross join lateral read_lines(s.lines) l
        where s.what = 'order' and s.outcome = 'counted'
    ),
    put_days as (
        insert into sale_days (site_id, day, what, outcome, currency, events, amount)
        select
            site_id, day, what, outcome, case when outcome = 'counted' then currency else '' end,
            sum(times), sum(case when outcome = 'counted' then times * amount else 0 end)
        from sales
        group by 1, 2, 3, 4, 5
        union all
        select site_id, day, 'product', fault, '', sum(times), 0
        from bought
        where fault is not null
        group by site_id, day, fault
        on conflict (site_id, day, what, outcome, currency) do update set
            events = sale_days.events + excluded.events,
            amount = sale_days.amount + excluded.amount
    )
    insert into product_days (site_id, day, currency, product_key, product, name, orders, quantity, revenue)
    select
        site_id, day, currency, index_key(jsonb_build_array(product, name)::text), product, name,
        sum(times), sum(times * quantity), sum(times * revenue)
    from (
        select
            site_id, day, currency, times, product collate "C" as product, max(name collate "C") as name,
            sum(quantity) as quantity, sum(revenue) as revenue
        from bought
        where fault is null
        group by site_id, day, event_id, event_time, currency, times, product collate "C"
    ) of_orders
    group by site_id, day, currency, product, name
    on conflict (site_id, day, currency, product_key) do update set
        orders = product_days.orders + excluded.orders,
        quantity = product_days.quantity + excluded.quantity,
        revenue = product_days.revenue + excluded.revenue;

    for one in
        select c.* from unnest(changes) c where c.times < 0
    loop
        delete from sale_days s where s.site_id = one.site_id and s.day = one.day and s.events = 0;
        delete from product_days p where p.site_id = one.site_id and p.day = one.day and p.orders = 0;
    end loop;
end
$$;
