-- How many sessions did a site have in a range, what were they like, and on which pages did most begin and end? From
-- the events themselves.
-- site_id: the site; start, end: the range, half-open; filters: which events sessions are made of, see event_matches;
-- limit: how many pages.
--
-- It names no table: on Citus a statement that does cannot call functions that read tables.
with found as materialized (
    select * from sessions_in(:'site_id', :'start', :'end', 'infinity', :'filters'::jsonb)
),
totals as (
    select
        count(*) as sessions,
        count(*) filter (where events = 1) as bounces,
        coalesce(sum(views), 0)::bigint as views,
        avg(date_part('epoch', ended - began)) as average_seconds,
        percentile_cont(0.5) within group (order by date_part('epoch', ended - began)) as median_seconds
    from found
),
entries as (
    select entry_page as path, count(*) as sessions
    from found
    group by entry_page
    order by sessions desc, entry_page collate "C"
    limit :'limit'
),
exits as (
    select exit_page as path, count(*) as sessions
    from found
    group by exit_page
    order by sessions desc, exit_page collate "C"
    limit :'limit'
)
select
    totals.*,
    (select count(*) from (select user_id from found group by user_id) users) as users,
    anonymous_events(:'site_id', :'start', :'end', :'filters'::jsonb) as anonymous,
    (select coalesce(jsonb_agg(entries order by sessions desc, path collate "C"), '[]') from entries) as entry_pages,
    (select coalesce(jsonb_agg(exits order by sessions desc, path collate "C"), '[]') from exits) as exit_pages
from totals
