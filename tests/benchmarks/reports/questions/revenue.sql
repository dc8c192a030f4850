-- How many orders, how much revenue and how much an order on average in each currency; of which ten products most was
-- sold; and how many events repeat an order? Of an order that was sent several times the first event counts.
with sent as (
    select
        properties,
        event_time >= {first} as asked,
        row_number() over (partition by properties ->> 'order_id' order by event_time, event_id) as nth
    from events
    where site_id = 'shop-0' and event_type = 'purchase' and event_time < {end}
),
orders as (
    select
        properties ->> 'currency' as currency,
        (properties ->> 'revenue')::decimal(18, 4) as revenue,
        from_json(
            properties -> 'products', '[{"product_id": "VARCHAR", "price": "DECIMAL(18, 4)", "quantity": "BIGINT"}]'
        ) as products
    from sent
    where asked and nth = 1
),
lines as (
    select currency, unnest(products) as line
    from orders
),
products as (
    select line.product_id, currency, count(*) as orders, sum(line.quantity) as quantity, sum(line.price * line.quantity) as revenue
    from lines
    group by 1, 2
    qualify row_number() over (partition by currency order by revenue desc, line.product_id) <= 10
)
select 'orders', currency, count(*)::decimal(38, 4), sum(revenue), round(avg(revenue), 2) from orders group by currency
union all
select product_id, currency, orders, revenue, quantity from products
union all
select 'repeated', '', count(*), 0, 0 from sent where asked and nth > 1
