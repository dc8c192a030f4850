-- What did a shop sell and take back in a range, by currency; which products; and what could not be counted?
-- site_id: the site; start, end: the range, half-open; filters: see event_matches; order_types, refund_types: the event
-- types that are orders and refunds, and sale_types: both; limit: products a currency; interval: day, week or month of
-- timezone, or null for no points.
--
-- Of an order that was sent several times, the first event that can be counted is the one that counts: it has to be in
-- the range and to match. Money is answered as text, which no reader takes for a binary fraction.
with given as materialized (
    select
        event_time,
        event_type = any(:'refund_types'::text[]) as is_refund,
        sale_order_id(properties) as order_id,
        sale_amount_text(properties) as amount_text,
        exact_number(sale_amount_text(properties)) as amount,
        sale_currency(properties) as currency,
        properties
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and event_type = any(:'sale_types'::text[])
        and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
),
judged as materialized (
    select
        *,
        case
            when amount_text is null then 'revenue_missing'
            when amount is null then 'revenue_invalid'
            when amount < 0 and not is_refund then 'revenue_negative'
            when properties ->> 'currency' is null then 'currency_missing'
            when currency is null then 'currency_invalid'
        end as fault
    from given
),
-- All events of the orders that are given.
sent as (
    select
        event_time, event_type, path, user_id, properties,
        row_number() over (
            partition by sale_order_id(properties) collate "C"
            order by event_time, event_id
        ) as nth
    from events
    where site_id = :'site_id' and event_time < :'end'
        and event_type = any(:'order_types'::text[])
        and sale_order_id(properties) is not null
        and left(sale_order_id(properties), 255) = any (array(
            select left(order_id, 255)
            from judged
            where fault is null and not is_refund and order_id is not null
        ))
        and exact_number(sale_amount_text(properties)) >= 0
        and sale_currency(properties) is not null
),
orders as materialized (
    select
        row_number() over () as no,
        event_time, currency, amount, properties
    from (
        select
            event_time,
            sale_currency(properties) as currency,
            exact_number(sale_amount_text(properties)) as amount,
            properties
        from sent
        where nth = 1 and event_time >= :'start'
            and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
        union all
        select event_time, currency, amount, properties
        from judged
        where fault is null and not is_refund and order_id is null
    ) counted
),
sales as (
    select event_time, currency, amount as revenue, null as refunded from orders
    union all
    select event_time, currency, null, abs(amount) from judged where fault is null and is_refund
),
currencies as (
    select
        currency,
        count(revenue) as orders,
        trim_scale(coalesce(sum(revenue), 0))::text as revenue,
        trim_scale(round(avg(revenue), 4))::text as average_order_value,
        count(refunded) as refunds,
        trim_scale(coalesce(sum(refunded), 0))::text as refunded
    from sales
    group by currency
),
points as (
    select
        date_trunc(:'interval', event_time, :'timezone') as at,
        currency,
        count(revenue) as orders,
        trim_scale(coalesce(sum(revenue), 0))::text as revenue,
        count(refunded) as refunds,
        trim_scale(coalesce(sum(refunded), 0))::text as refunded
    from sales
    where :'interval' is not null
    group by 1, 2
),
lines as materialized (
    select
        no,
        currency,
        coalesce(line ->> 'product_id', line ->> 'sku', line ->> 'item_id', line ->> 'name', line ->> 'item_name') as product,
        coalesce(line ->> 'name', line ->> 'item_name') as name,
        exact_number(line ->> 'price') as price,
        exact_number(coalesce(line ->> 'quantity', '1')) as quantity
    from orders
    cross join lateral jsonb_array_elements(
        case
            when jsonb_typeof(properties -> 'products') = 'array' then properties -> 'products'
            when jsonb_typeof(properties -> 'items') = 'array' then properties -> 'items'
        end
    ) line
),
judged_lines as (
    select
        *,
        case
            when product is null then 'product_missing'
            when price is null or price < 0 then 'price_invalid'
            when quantity is null or quantity < 0 then 'quantity_invalid'
        end as fault
    from lines
),
products as (
    select currency, product, name, orders, trim_scale(quantity)::text as quantity, trim_scale(revenue)::text as revenue, rank
    from (
        select
            currency,
            product,
            max(name collate "C") as name,
            count(distinct no) as orders,
            sum(quantity) as quantity,
            sum(price * quantity) as revenue,
            row_number() over (partition by currency order by sum(price * quantity) desc, product collate "C") as rank
        from judged_lines
        where fault is null
        group by currency, product
    ) ranked
    where rank <= :'limit'
),
ignored as (
    select what, fault as reason, count(*) as count
    from (
        select case when is_refund then 'refund' else 'order' end as what, fault from judged
        union all
        select 'product', fault from judged_lines
    ) faults
    where fault is not null
    group by 1, 2
)
select
    (select coalesce(jsonb_agg(c order by c.orders desc, c.currency), '[]') from currencies c) as currencies,
    (select coalesce(jsonb_agg(p order by p.currency, p.rank), '[]') from products p) as products,
    (select coalesce(jsonb_agg(p order by p.at, p.currency), '[]') from points p) as points,
    (select count(*) from judged where fault is null and not is_refund) - (select count(*) from orders) as repeated,
    (select coalesce(jsonb_agg(i order by i.what, i.reason), '[]') from ignored i) as ignored
