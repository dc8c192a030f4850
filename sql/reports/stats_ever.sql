-- How many page views and unique users has a site had in total, and which ten paths had most views?
-- site_id: the site. Each user has one number, so the counter of users without the vacant numbers is the number of users.
-- Views come from the totals and the later days.
with site as materialized (
    select users - vacant_numbers as users, path_spans_until as until
    from sites
    where site_id = :'site_id'
),
parts as (
    select path, events
    from path_totals
    where site_id = :'site_id' and event_type = 'page_view'
    union all
    select path, events
    from path_days
    where site_id = :'site_id' and event_type = 'page_view' and day >= (select until from site)
        -- Always true; for a range without an end the planner expects a third of the table.
        and day < 'infinity'
),
views as materialized (
    select path, sum(events)::bigint as views
    from parts
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
    coalesce((select users from site), 0)::bigint as unique_users,
    (select coalesce(jsonb_agg(top order by views desc, path), '[]') from top) as top_paths
