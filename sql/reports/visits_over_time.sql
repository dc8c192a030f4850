-- The visits that begin in each bucket of a range.
-- site_id: the site; start, end: the range; visits: filters, see count_visits; currency: of the revenue; people: whether to
-- count people; interval: minute, hour, day, week or month of timezone; step: see buckets.sql.
select
    b.at, coalesce(v.visits, 0) as visits, coalesce(v.people, 0) as people, coalesce(v.events, 0) as events,
    coalesce(v.views, 0) as views, coalesce(v.bounces, 0) as bounces, coalesce(v.carts, 0) as carts,
    coalesce(v.checkouts, 0) as checkouts, coalesce(v.orders, 0) as orders, coalesce(v.converted, 0) as converted,
    coalesce(v.paid, 0) as paid, trim_scale(coalesce(v.revenue, 0))::text as revenue
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone') b
left join count_visits(
    :'site_id', :'start', :'end', :'visits'::jsonb, null, :'interval', :'timezone', :'currency', :'people'::boolean
) v on v.at = b.at
order by b.at
