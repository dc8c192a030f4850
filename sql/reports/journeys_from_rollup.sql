-- Which pages did users view after or before a page, and how often did each sequence occur? From the rollup of sessions
-- and the events of those with the page.
-- site_id: the site; start, end: the range, half-open; path: the page; direction: `from` the page or `to` it; steps:
-- how many pages beyond it; limit: how many sequences; covered_until, open: see open_sessions.sql.
with halves as (
    select *
    from journeys_of_half(
        :'site_id', :'start', :'end', :'path', :'direction', :'steps', :'covered_until', :'open'::sessions[], 0
    )
    union all
    select *
    from journeys_of_half(
        :'site_id', :'start', :'end', :'path', :'direction', :'steps', :'covered_until', :'open'::sessions[], 1
    )
),
sequences as (
    select pages, sum(sessions)::bigint as sessions, sum(users)::bigint as users
    from halves
    where pages is not null
    group by pages
    order by sessions desc, pages
    limit :'limit'
)
select
    sum(sessions)::bigint as sessions,
    sum(users)::bigint as users,
    sum(anonymous)::bigint as anonymous,
    (select coalesce(jsonb_agg(sequences order by sessions desc, pages), '[]') from sequences) as sequences
from halves
where pages is null
