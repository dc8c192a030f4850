-- Visits by the values of a dimension: the `limit` values that come first; sums of those with a value, of those without
-- (absent), and of all (absent is null); and how many values there are.
-- site_id: the site; start, end: the range in which they begin; visits: filters, see count_visits; dimension: see
-- count_visits; currency: of the revenue; people: whether to count people; order_by: a figure, the largest first;
-- search: a regular expression (empty: all) and only: an array of values (empty: all), which values must match.
with groups as materialized (
    select *, converted::numeric / visits as conversion, revenue / nullif(paid, 0) as average_order
    from count_visits(
        :'site_id', :'start', :'end', :'visits'::jsonb, :'dimension', null, null, :'currency', :'people'::boolean
    )
),
found as (
    select g.*, case :'order_by'
        when 'people' then people::numeric
        when 'views' then views
        when 'bounces' then bounces
        when 'carts' then carts
        when 'checkouts' then checkouts
        when 'orders' then orders
        when 'revenue' then revenue
        when 'conversion' then conversion
        when 'average_order' then average_order
        else visits
    end as rank
    from groups g
    where value <> '' and (:'search' = '' or value ~ :'search') and (:'only'::text[] = '{}' or value = any (:'only'::text[]))
),
top as (
    select
        value, visits, people, views, bounces, carts, checkouts, orders, converted, paid, trim_scale(revenue)::text as revenue,
        row_number() over (order by rank desc nulls last, visits desc, value collate "C") as place
    from found
    order by rank desc nulls last, visits desc, value collate "C"
    limit :'limit'
),
sums as (
    select
        absent, sum(visits)::bigint as visits, sum(people)::bigint as people, sum(views)::bigint as views,
        sum(bounces)::bigint as bounces, sum(carts)::bigint as carts, sum(checkouts)::bigint as checkouts,
        sum(orders)::bigint as orders, sum(converted)::bigint as converted, sum(paid)::bigint as paid,
        trim_scale(sum(revenue))::text as revenue
    from (select *, value = '' as absent from groups) g
    group by grouping sets ((absent), ())
    having count(*) > 0
)
select
    (select coalesce(jsonb_agg(s order by s.absent nulls last), '[]') from sums s) as sums,
    (select coalesce(jsonb_agg(t order by t.place), '[]') from top t) as rows,
    (select count(*) from found) as values
