-- What did a shop sell and refund on some days, by currency; which products; and what could not be counted? From
-- rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; limit: products per currency; interval: day, week
-- or month of timezone, which is the site's, or null for no points. The event types are those of is_sale.
with sales as (
    select
        *,
        case what when 'order' then events else 0 end as orders,
        case what when 'order' then amount else 0 end as revenue,
        case what when 'refund' then events else 0 end as refunds,
        case what when 'refund' then amount else 0 end as refunded
    from sale_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'end_day'
),
currencies as (
    select
        currency,
        sum(orders)::bigint as orders,
        trim_scale(sum(revenue))::text as revenue,
        trim_scale(round(trim_scale(sum(revenue)) / nullif(sum(orders), 0), 4))::text as average_order_value,
        sum(refunds)::bigint as refunds,
        trim_scale(sum(refunded))::text as refunded
    from sales
    where outcome = 'counted'
    group by currency
),
points as (
    select
        date_trunc(:'interval', day::timestamp) at time zone :'timezone' as at,
        currency,
        sum(orders)::bigint as orders,
        trim_scale(sum(revenue))::text as revenue,
        sum(refunds)::bigint as refunds,
        trim_scale(sum(refunded))::text as refunded
    from sales
    where outcome = 'counted' and :'interval' is not null
    group by 1, 2
),
products as (
    select
        currency,
        product,
        max(name) as name,
        sum(orders)::bigint as orders,
        trim_scale(sum(quantity))::text as quantity,
        trim_scale(sum(revenue))::text as revenue,
        row_number() over (partition by currency order by sum(revenue) desc, product) as rank
    from product_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'end_day' and :'limit' > 0
    group by currency, product
),
ignored as (
    select what, outcome as reason, sum(events)::bigint as count
    from sales
    where outcome not in ('counted', 'repeated')
    group by 1, 2
)
select
    (select coalesce(jsonb_agg(c order by c.orders desc, c.currency), '[]') from currencies c) as currencies,
    (select coalesce(jsonb_agg(p order by p.currency, p.rank), '[]') from products p where rank <= :'limit') as products,
    (select coalesce(jsonb_agg(p order by p.at, p.currency), '[]') from points p) as points,
    (select coalesce(sum(events), 0)::bigint from sales where outcome = 'repeated') as repeated,
    (select coalesce(jsonb_agg(i order by i.what, i.reason), '[]') from ignored i) as ignored
