-- How many page views and unique users did a site have on a day, and which ten paths had most views?
-- site_id: the site; date: a day of the site's timezone.
with views as materialized (
    select path, events as views
    from path_days
    where site_id = :'site_id' and event_type = 'page_view' and day = :'date'
),
chunks as (
    select bit_or(users) as users
    from user_days
    where site_id = :'site_id' and day = :'date'
    group by chunk
),
top as (
    select path, views
    from views
    order by views desc, path
    limit 10
)
select
    (select coalesce(sum(views), 0)::bigint from views) as total_views,
    (select coalesce(sum(bit_count(users)), 0)::bigint from chunks) as unique_users,
    (select coalesce(jsonb_agg(top order by views desc, path), '[]') from top) as top_paths
