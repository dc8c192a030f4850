-- Which products, categories or brands were viewed, added to carts, taken to a checkout, ordered and refunded in a range?
-- From the events.
-- site_id: the site; start, end: the range, half-open; part: product, category or brand; view_types, cart_types,
-- checkout_types: see product_actions; order_types, refund_types, usual, filters: see counted_sales; currency: that of
-- orders and refunds, or null for the one with most orders; order_by: the column by which the first `limit` values are
-- taken; search: only values that match this regular expression (empty: all).
--
-- It names no table: on Citus a statement that does cannot call functions that read tables. An empty value: products
-- that have none.
with actions as materialized (
    select *
    from product_actions(
        :'site_id', :'start', :'end', :'view_types', :'cart_types', :'checkout_types', :'filters'::jsonb, :'part'
    )
),
sales as materialized (
    select *
    from counted_sales(
        :'site_id', :'start', :'end', :'order_types', :'refund_types', :'usual', :'filters'::jsonb, '-infinity'
    )
),
currencies as materialized (
    select currency collate "C" as currency, count(*) as orders
    from sales
    where not is_refund
    group by 1
),
chosen as materialized (
    select coalesce(:'currency'::text, (select currency from currencies order by orders desc, currency limit 1)) as currency
),
-- An order's lines of the same value are one.
lines as materialized (
    select
        s.event_id, s.event_time, s.user_id, s.is_refund, s.currency = (select currency from chosen) as is_chosen,
        coalesce(case :'part' when 'product' then p.product when 'category' then p.category else p.brand end, '')
            collate "C" as value,
        max(p.name collate "C") as name,
        sum(p.quantity) as quantity,
        coalesce(sum(p.revenue), 0) as amount
    from sales s
    cross join lateral jsonb_array_elements(case jsonb_typeof(s.lines) when 'array' then s.lines else '[]' end) line
    cross join lateral read_product(line) p
    -- A refund may leave out the price of what came back.
    where p.fault is null or s.is_refund and p.fault = 'price_invalid' and p.quantity >= 0
    group by s.event_id, s.event_time, s.user_id, s.is_refund, s.currency, 6
),
buyers as (
    select value, user_id
    from lines
    where not is_refund and user_id is not null
    group by value, user_id
),
parts as (
    select
        value, name,
        case action when 'view' then events else 0 end as views,
        case when action = 'view' and user_id is not null then 1 else 0 end as viewers,
        case action when 'cart' then events else 0 end as carts,
        case action when 'checkout' then events else 0 end as checkouts,
        0 as orders, 0::numeric as quantity, 0::numeric as revenue, 0 as buyers, 0 as viewers_who_bought,
        0::numeric as returned, 0::numeric as refunded
    from actions
    union all
    select
        value, name, 0, 0, 0, 0,
        case when not is_refund and is_chosen then 1 else 0 end,
        case when not is_refund and is_chosen then quantity else 0 end,
        case when not is_refund and is_chosen then amount else 0 end,
        0, 0,
        case when is_refund and is_chosen then quantity else 0 end,
        case when is_refund and is_chosen then amount else 0 end
    from lines
    union all
    select
        b.value, null, 0, 0, 0, 0, 0, 0, 0, 1, case when a.user_id is null then 0 else 1 end, 0, 0
    from buyers b
    left join actions a on a.action = 'view' and a.value = b.value and a.user_id = b.user_id
),
groups as materialized (
    select
        value, max(name collate "C") as name,
        sum(views)::bigint as views, sum(viewers)::bigint as viewers, sum(carts)::bigint as carts,
        sum(checkouts)::bigint as checkouts, sum(orders)::bigint as orders, sum(quantity) as quantity,
        sum(revenue) as revenue, sum(buyers)::bigint as buyers, sum(viewers_who_bought)::bigint as viewers_who_bought,
        sum(returned) as returned, sum(refunded) as refunded
    from parts
    group by value
),
found as (
    select
        *,
        case :'order_by'
            when 'views' then views
            when 'viewers' then viewers
            when 'carts' then carts
            when 'checkouts' then checkouts
            when 'orders' then orders
            when 'quantity' then quantity
            when 'buyers' then buyers
            when 'conversion' then coalesce(viewers_who_bought::numeric / nullif(viewers, 0), -1)
            when 'returned' then returned
            when 'refunded' then refunded
            else revenue
        end as weight
    from groups
    where value = '' or :'search' = '' or value ~ :'search' or name ~ :'search'
),
top as (
    select *, row_number() over (partition by value = '' order by weight desc, views desc, value) as rank
    from found
),
shown as (
    select
        rank, value, name, views, viewers, carts, checkouts, orders, trim_scale(quantity)::text as quantity,
        trim_scale(revenue)::text as revenue, buyers, viewers_who_bought, trim_scale(returned)::text as returned,
        trim_scale(refunded)::text as refunded
    from top
    where :'limit' >= rank
),
other_refunds as (
    select s.amount
    from sales s
    left join lines l on l.event_id = s.event_id and l.event_time = s.event_time
    where s.is_refund and s.currency = (select currency from chosen) and l.event_id is null
)
select
    (select currency from chosen) as currency,
    array(select currency from currencies order by orders desc, currency) as currencies,
    (select count(*) from found where value <> '') as values,
    (select coalesce(jsonb_agg(s order by s.rank), '[]') from shown s where s.value <> '') as rows,
    (select to_jsonb(s) from shown s where s.value = '') as without_value,
    (select count(*) from other_refunds) as other_refunds,
    (select trim_scale(coalesce(sum(amount), 0))::text from other_refunds) as other_refunded
