-- What did a shop sell and refund in a range, by currency; which products; and what could not be counted? From events.
-- site_id: the site; start, end: the range, half-open; filters: see event_matches; order_types, refund_types: the event
-- types of orders and refunds; usual: whether they are those of is_sale; limit: products per currency; interval: day,
-- week or month of timezone, or null for no points.
--
-- If an order was sent several times, its first event that can be counted counts: it has to be in the range and to
-- match. So orders before the range that share an id with the range are read too. Ids are sorted rather than looked up,
-- so that no plan is quadratic in the orders. Money is returned as text, so that no reader takes it for a fraction.
-- `offset 0` makes the filters be evaluated once per event, though both conditions use them.
with ids as materialized (
    select distinct given_order_id(properties) as order_id
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and event_type = any(:'order_types'::text[])
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
),
-- Orders whose counting event has expired: further events of them are repeated.
counted_before as materialized (
    select ids.order_id
    from ids
    join orders o on o.site_id = :'site_id' and o.order_key = index_key(ids.order_id)
    join sites s on s.site_id = :'site_id' and o.event_time < s.events_from
    where :'usual'
),
given as (
    select *, event_type = any(:'refund_types'::text[]) as is_refund
    from (
        select
            *,
            event_time >= :'start'
                and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb) as asked
        from events
        where site_id = :'site_id' and event_time < :'end'
            and event_type = any(:'order_types'::text[] || :'refund_types'::text[])
        offset 0
    ) sent
    where asked
        or event_type = any(:'order_types'::text[])
            and given_order_id(properties) in (select order_id from ids)
),
placed as (
    select
        event_time, is_refund, currency collate "C" as currency, amount, fault, order_id, asked,
        case when asked then lines end as lines,
        row_number() over (
            partition by order_id collate "C", is_refund, fault is null
            order by event_time, event_id
        ) as nth
    from given
    cross join lateral read_sale(properties, is_refund)
),
asked as materialized (
    select
        row_number() over () as no, -- any unique numbers
        event_time, is_refund, currency, amount, lines, fault,
        not is_refund and order_id is not null
            and (nth > 1 or order_id in (select order_id from counted_before)) as is_repeated
    from placed
    where asked
),
sales as not materialized (
    select
        *,
        case when not is_refund then amount end as revenue,
        case when is_refund then amount end as refunded
    from asked
    where fault is null and not is_repeated
),
currencies as (
    select
        currency,
        count(revenue) as orders,
        trim_scale(coalesce(sum(revenue), 0))::text as revenue,
        trim_scale(round(trim_scale(sum(revenue)) / nullif(count(revenue), 0), 4))::text as average_order_value,
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
bought as materialized (
    select no, currency, line.*
    from sales
    cross join lateral read_lines(lines) line
    where not is_refund
),
products as (
    select
        currency,
        product collate "C" as product,
        max(name collate "C") as name,
        count(distinct no) as orders,
        trim_scale(sum(quantity))::text as quantity,
        trim_scale(sum(revenue))::text as revenue,
        row_number() over (partition by currency order by sum(revenue) desc, product collate "C") as rank
    from bought
    where fault is null
    group by currency, product collate "C"
),
ignored as (
    select what collate "C" as what, fault collate "C" as reason, count(*) as count
    from (
        select case when is_refund then 'refund' else 'order' end as what, fault from asked
        union all
        select 'product', fault from bought
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
