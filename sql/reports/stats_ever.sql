-- How many page views and unique users has a site had in all, and which ten paths were viewed most?
-- site_id: the site. Every user of a site is numbered once, so that their number is how many there are.
with views as materialized (
    select path, sum(events)::bigint as views
    from path_days
    where site_id = :'site_id' and event_type = 'page_view'
    group by path
),
top as (
    select path, views
    from views
    order by views desc, path
    limit 10
)
select
    (select coalesce(sum(views), 0)::bigint from views) as total_views,
    coalesce((select users from sites where site_id = :'site_id'), 0)::bigint as unique_users,
    (select coalesce(jsonb_agg(top order by views desc, path), '[]') from top) as top_paths
