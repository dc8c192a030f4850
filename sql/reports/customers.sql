-- How many customers ordered in a range, how many of them for the first time, how often, and how soon again? From the
-- events of all orders and refunds up to its end.
-- site_id: the site; start, end: the range, half-open; interval: day, week or month of timezone; order_types,
-- refund_types, usual, filters: see counted_sales; currency: only sales in this one, or null for all.
--
-- A customer is the user that an order's event names; a refund is that of its order's customer, else of the user that it
-- names. It names no table: on Citus a statement that does cannot call functions that read tables.
with sales as materialized (
    select *
    from counted_sales(
        :'site_id', '-infinity', :'end', :'order_types', :'refund_types', :'usual', :'filters'::jsonb, 'infinity'
    )
    where :'currency'::text is null or currency = :'currency'
),
placed as materialized (
    select
        event_time, user_id, currency, amount,
        case when user_id is not null then row_number() over of_customer end as nth,
        event_time - lag(event_time) over of_customer as since_last
    from sales
    where not is_refund
    window of_customer as (partition by user_id collate "C" order by event_time, event_id)
),
orders as materialized (
    select *, date_trunc(:'interval', event_time, :'timezone') as at
    from placed
    where event_time >= :'start'
),
customers as (
    select user_id, count(*) as orders, min(nth) as first_nth, max(nth) as last_nth
    from orders
    where user_id is not null
    group by user_id
),
customers_of_buckets as (
    select at, user_id, count(*) as orders, min(nth) as first_nth
    from orders
    group by at, user_id
),
points as (
    select
        at,
        count(user_id) as customers,
        count(user_id) filter (where first_nth = 1) as new,
        count(user_id) filter (where first_nth > 1) as returning,
        sum(orders)::bigint as orders
    from customers_of_buckets
    group by at
),
refunds as (
    select r.currency, r.amount, coalesce(o.user_id, r.user_id) as user_id
    from sales r
    left join sales o on not o.is_refund and o.order_id = r.order_id
    where r.is_refund and r.event_time >= :'start'
),
amounts as (
    select currency, user_id, nth, amount, 0 as refunds, 0::numeric as refunded
    from orders
    union all
    select currency, user_id, null, null, 1, amount
    from refunds
),
currencies as (
    select
        currency,
        count(distinct user_id) filter (where amount is not null) as customers,
        count(amount) as orders,
        trim_scale(coalesce(sum(amount), 0))::text as revenue,
        count(amount) filter (where nth = 1) as first_orders,
        trim_scale(coalesce(sum(amount) filter (where nth = 1), 0))::text as first_revenue,
        count(amount) filter (where nth > 1) as repeat_orders,
        trim_scale(coalesce(sum(amount) filter (where nth > 1), 0))::text as repeat_revenue,
        sum(refunds)::bigint as refunds,
        trim_scale(sum(refunded))::text as refunded,
        trim_scale(coalesce(sum(coalesce(amount, 0) - refunded) filter (where user_id is not null), 0))::text as net
    from amounts
    group by currency
),
seconds as (
    select date_part('epoch', since_last) / 86400 as days
    from orders
    where nth = 2
),
distribution as (
    select orders, count(*) as customers
    from customers
    group by orders
),
waits as (
    select floor(days)::integer as days, count(*) as customers
    from seconds
    group by 1
)
select
    (select count(*) from customers) as customers,
    (select count(*) from customers where first_nth = 1) as new,
    (select count(*) from customers where last_nth > 1) as repeat_customers,
    (select count(*) from orders) as orders,
    (select count(*) from orders where user_id is null) as anonymous_orders,
    (select percentile_cont(0.5) within group (order by days) from seconds) as median_days_to_second,
    (select coalesce(jsonb_agg(c order by c.orders desc, c.currency collate "C"), '[]') from currencies c) as currencies,
    (select coalesce(jsonb_agg(d order by d.orders), '[]') from distribution d) as orders_per_customer,
    (select coalesce(jsonb_agg(w order by w.days), '[]') from waits w) as days_to_second,
    (select coalesce(jsonb_agg(p order by p.at), '[]') from points p) as points
