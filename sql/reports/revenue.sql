-- What did a shop sell and take back in a range, by currency; which products; and what could not be counted?
-- site_id: the site; start, end: the range, half-open; filters: see event_matches; order_types, refund_types: the event
-- types that are orders and refunds; limit: products a currency; interval: day, week or month of timezone, or null for
-- no points.
--
-- Of an order that was sent several times, the first event that can be counted is the one that counts: it has to be in
-- the range and to match. So the orders before the range are read too, those in full that have an id of the range's; ids
-- are sorted rather than looked up, so that no plan takes time by the square of the orders. Money is answered as text,
-- which no reader takes for a fraction.
-- `offset 0` has what is above it computed once a row, however often it is used.
with ids as materialized (
    select distinct coalesce(properties ->> 'order_id', properties ->> 'transaction_id') as order_id
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and event_type = any(:'order_types'::text[])
        and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
),
given as (
    select
        event_time,
        event_id,
        event_type = any(:'refund_types'::text[]) as is_refund,
        nullif(coalesce(properties ->> 'order_id', properties ->> 'transaction_id'), '') collate "C" as order_id,
        coalesce(
            nullif(properties -> 'revenue', 'null'), nullif(properties -> 'total', 'null'), nullif(properties -> 'value', 'null')
        ) as amount_given,
        properties ->> 'currency' as currency_given,
        asked,
        case when asked then coalesce(properties -> 'products', properties -> 'items') end as products
    from (
        select
            *,
            event_time >= :'start'
                and event_matches(event_type, path, user_id, properties, :'filters'::jsonb) as asked
        from events
        where site_id = :'site_id' and event_time < :'end'
            and event_type = any(:'order_types'::text[] || :'refund_types'::text[])
    ) sent
    where asked
        or event_type = any(:'order_types'::text[])
            and coalesce(properties ->> 'order_id', properties ->> 'transaction_id') in (select order_id from ids)
    offset 0
),
read as (
    select
        *,
        exact_number(amount_given) as amount,
        case when currency_given ~ '^ *[A-Za-z]{3} *$' then upper(btrim(currency_given)) end as currency
    from given
    offset 0
),
judged as (
    select
        *,
        case
            when amount_given is null then 'revenue_missing'
            when amount is null then 'revenue_invalid'
            when amount < 0 and not is_refund then 'revenue_negative'
            when currency_given is null then 'currency_missing'
            when currency is null then 'currency_invalid'
        end as fault
    from read
),
placed as (
    select
        *,
        row_number() over (
            partition by order_id, is_refund, fault is null
            order by event_time, event_id
        ) as nth
    from judged
),
asked as materialized (
    select
        row_number() over () as no,
        event_time, is_refund, currency, amount, products, fault,
        not is_refund and order_id is not null and nth > 1 as is_repeated
    from placed
    where asked
),
sales as not materialized (
    select
        *,
        case when not is_refund then amount end as revenue,
        case when is_refund then abs(amount) end as refunded
    from asked
    where fault is null and not is_repeated
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
        coalesce(line ->> 'product_id', line ->> 'sku', line ->> 'item_id', line ->> 'name', line ->> 'item_name')
            collate "C" as product,
        coalesce(line ->> 'name', line ->> 'item_name') collate "C" as name,
        exact_number(line -> 'price') as price,
        exact_number(coalesce(nullif(line -> 'quantity', 'null'), '1')) as quantity
    from sales
    cross join jsonb_array_elements(case jsonb_typeof(products) when 'array' then products end) line
    where not is_refund
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
    select
        currency,
        product,
        max(name) as name,
        count(distinct no) as orders,
        trim_scale(sum(quantity))::text as quantity,
        trim_scale(sum(price * quantity))::text as revenue,
        row_number() over (partition by currency order by sum(price * quantity) desc, product) as rank
    from judged_lines
    where fault is null
    group by currency, product
),
ignored as (
    select what, fault as reason, count(*) as count
    from (
        select case when is_refund then 'refund' else 'order' end as what, fault from asked
        union all
        select 'product', fault from judged_lines
    ) faults
    where fault is not null
    group by 1, 2
)
select
    (select coalesce(jsonb_agg(c order by c.orders desc, c.currency), '[]') from currencies c) as currencies,
    (select coalesce(jsonb_agg(p order by p.currency, p.rank), '[]') from products p where rank <= :'limit') as products,
    (select coalesce(jsonb_agg(p order by p.at, p.currency), '[]') from points p) as points,
    (select count(*) from asked where fault is null and is_repeated) as repeated,
    (select coalesce(jsonb_agg(i order by i.what, i.reason), '[]') from ignored i) as ignored
