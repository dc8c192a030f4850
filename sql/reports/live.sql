-- What happened on a site in the last minutes, and on which pages?
-- site_id: the site; start, end: the range, half-open; filters: see event_matches; limit: how many pages.
with recent as materialized (
    select date_trunc('minute', event_time) as at, event_type, path, user_id
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and event_matches(event_type, path, user_id, visitor_id, properties, :'filters'::jsonb)
),
minutes as (
    select generate_series(date_trunc('minute', :'start'::timestamptz), :'end'::timestamptz - interval '1 microsecond', '1 minute') as at
),
points as (
    select
        at,
        count(r.at) as events,
        count(distinct user_id) as users,
        count(r.at) - count(user_id) as anonymous
    from minutes
    left join recent r using (at)
    group by at
),
pages as (
    select
        path,
        count(*) as views,
        count(distinct user_id) as users,
        count(*) - count(user_id) as anonymous
    from recent
    where event_type = 'page_view'
    group by path
    order by views desc, path
    limit :'limit'
)
select
    count(*) as events,
    count(distinct user_id) as users,
    count(*) - count(user_id) as anonymous,
    (select coalesce(jsonb_agg(p order by p.views desc, p.path), '[]') from pages p) as pages,
    (select jsonb_agg(p order by p.at) from points p) as points
from recent
