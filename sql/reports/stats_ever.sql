-- How many page views and unique users has a site had in all, and which ten paths were viewed most?
-- site_id: the site. Every user of a site is numbered once, so that their number is how many there are. Views are those of
-- whole months, of the sixths since, and of the days since.
with site as materialized (
    select users, path_spans_until as until, date_trunc('month', path_spans_until)::date as month
    from sites
    where site_id = :'site_id'
),
months as (
    select generate_series(min(first_day)::timestamp, (select month - 1 from site)::timestamp, interval '1 month') as month
    from path_spans
    where site_id = :'site_id'
),
parts as (
    select s.path, s.events
    from months m
    join path_spans s on s.site_id = :'site_id' and s.event_type = 'page_view'
        and s.first_day = m.month::date and s.end_day = (m.month + interval '1 month')::date
    union all
    select path, events
    from path_spans
    where site_id = :'site_id' and event_type = 'page_view'
        and first_day >= (select month from site) and end_day <= (select until from site)
    union all
    select path, events
    from path_days
    where site_id = :'site_id' and event_type = 'page_view' and day >= (select until from site)
        -- True of every day; but of a range without an end the planner expects a third of the table.
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
