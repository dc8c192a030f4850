-- What are customers worth in the months that follow their first order? From the events of all orders and refunds.
-- site_id: the site; start, end: the range of first orders, half-open; until: the end of the orders and refunds that are
-- followed; months: for how many months after the first; timezone: whose months; order_types, refund_types, usual,
-- filters: see counted_sales; currency: only sales in this one, or null for all.
--
-- A cohort is of one currency: the customers whose first order in it is of the month, and what they paid in it. A refund
-- is that of its order's customer, else of the user that it names, and of the month in which it was made. It names no
-- table: on Citus a statement that does cannot call functions that read tables.
with sales as materialized (
    select *
    from counted_sales(
        :'site_id', '-infinity', :'until', :'order_types', :'refund_types', :'usual', :'filters'::jsonb, 'infinity'
    )
    where :'currency'::text is null or currency = :'currency'
),
members as materialized (
    select user_id, currency, min(event_time) as first_order
    from sales
    where not is_refund and user_id is not null
    group by user_id, currency
    having min(event_time) >= :'start' and min(event_time) < :'end'
),
amounts as (
    select event_time, user_id, currency, amount, 0::numeric as refunded
    from sales
    where not is_refund
    union all
    select r.event_time, coalesce(o.user_id, r.user_id), r.currency, null, r.amount
    from sales r
    left join sales o on not o.is_refund and o.order_id = r.order_id
    where r.is_refund
),
followed as (
    select
        date_trunc('month', m.first_order at time zone :'timezone') as cohort,
        date_trunc('month', a.event_time at time zone :'timezone') as month,
        a.currency, a.user_id, a.amount, a.refunded
    from amounts a
    join members m on m.user_id = a.user_id and m.currency = a.currency
    where a.event_time >= m.first_order
),
months as (
    select
        cohort, currency,
        (12 * date_part('year', month) + date_part('month', month)
            - 12 * date_part('year', cohort) - date_part('month', cohort))::integer as month,
        count(distinct user_id) filter (where amount is not null) as customers,
        count(amount) as orders,
        trim_scale(coalesce(sum(amount), 0))::text as revenue,
        trim_scale(sum(refunded))::text as refunded
    from followed
    group by cohort, currency, followed.month
)
select
    cohort::date as cohort, currency,
    max(customers) filter (where month = 0) as customers,
    jsonb_agg(
        jsonb_build_object(
            'month', month, 'customers', customers, 'orders', orders, 'revenue', revenue, 'refunded', refunded
        )
        order by month
    ) filter (where month <= :'months') as months
from months
group by cohort, currency
order by cohort, currency collate "C"
