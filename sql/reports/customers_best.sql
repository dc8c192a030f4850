-- Which customers brought a shop the most in a range, by currency? From the events of all orders and refunds up to its
-- end.
-- site_id: the site; start, end: the range, half-open; limit: customers per currency; order_types, refund_types, usual,
-- filters: see counted_sales; currency: only sales in this one, or null for all.
--
-- A refund is that of its order's customer, else of the user that it names. It names no table: on Citus a statement that
-- does cannot call functions that read tables.
with sales as materialized (
    select *
    from counted_sales(
        :'site_id', '-infinity', :'end', :'order_types', :'refund_types', :'usual', :'filters'::jsonb, 'infinity'
    )
    where :'currency'::text is null or currency = :'currency'
),
amounts as (
    select event_time, user_id, currency, amount, null::numeric as refunded
    from sales
    where not is_refund
    union all
    select r.event_time, coalesce(o.user_id, r.user_id), r.currency, null, r.amount
    from sales r
    left join sales o on not o.is_refund and o.order_id = r.order_id
    where r.is_refund and r.event_time >= :'start'
),
customers as (
    select
        currency, user_id collate "C" as user_id,
        count(amount) filter (where event_time >= :'start') as orders,
        coalesce(sum(amount) filter (where event_time >= :'start'), 0) as revenue,
        count(refunded) as refunds,
        coalesce(sum(refunded), 0) as refunded,
        min(event_time) filter (where amount is not null) as first_order,
        max(event_time) filter (where amount is not null) as last_order
    from amounts
    where user_id is not null
    group by currency, user_id collate "C"
),
ranked as (
    select
        *,
        row_number() over (partition by currency order by revenue - refunded desc, user_id) as rank,
        count(*) over (partition by currency) as customers
    from customers
    where orders > 0
)
select
    currency, rank, user_id, orders, trim_scale(revenue)::text as revenue, refunds, trim_scale(refunded)::text as refunded,
    trim_scale(revenue - refunded)::text as net, first_order, last_order, customers
from ranked
where :'limit' >= rank
order by currency collate "C", rank
