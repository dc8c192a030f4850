-- How many unique users did a site have in each hour of a range, and how many events without a user? From the rollup of
-- sessions, and the newest events, which it does not have yet.
-- site_id: the site; start, end: the range, both on hours of the site; timezone: whose hours; step: see buckets.sql.
--
-- A session goes on as long as less than 30 minutes pass between two events, and no hour is shorter (where clocks change
-- by half an hour, one has 30 minutes): so in each hour that a session touches its user has an event. There are several
-- times fewer sessions than events. Hours are told apart by their first moment: to truncate each time took longer than
-- the rest.
with hours as materialized (
    select at, first, row_number() over (order by at) as hour
    from (
        select date_trunc('hour', moment, :'timezone') as at, min(moment) as first
        from generate_series(
            :'start'::timestamptz, :'end'::timestamptz - interval '1 microsecond', :'step'::interval
        ) moment
        group by 1
    ) moments
),
begins as materialized (
    select array_agg(first order by hour) as firsts
    from hours
),
found as (
    select user_id, greatest(began, :'start') as first, least(ended, :'end'::timestamptz - interval '1 microsecond') as last
    from sessions
    where site_id = :'site_id' and ended >= :'start'
        and began >= :'start'::timestamptz - interval '2 hours' and began < :'end'
    union all
    -- By the index of the few that are long.
    select user_id, :'start', least(ended, :'end'::timestamptz - interval '1 microsecond')
    from sessions
    where site_id = :'site_id' and ended - began > interval '2 hours' and ended >= :'start'
        and began < :'start'::timestamptz - interval '2 hours'
),
placed as materialized (
    select
        user_id,
        width_bucket(first, (select firsts from begins)) as first_hour,
        width_bucket(last, (select firsts from begins)) as last_hour
    from found
),
pairs as (
    select first_hour as hour, user_id
    from placed
    union
    select last_hour, user_id
    from placed
    where last_hour > first_hour
    union
    select h.hour::integer, p.user_id
    from placed p
    join hours h on h.hour > p.first_hour and h.hour < p.last_hour
    where p.last_hour > p.first_hour + 1
    union
    select width_bucket(event_time, (select firsts from begins)), user_id
    from events
    where site_id = :'site_id' and user_id is not null and event_time >= :'start' and event_time < :'end'
        and event_time >= (select max(sessions_until) from sites where site_id = :'site_id')
),
users as (
    select hour, count(*) as users
    from pairs
    group by hour
),
nobody as (
    select hour as at, sum(anonymous)::bigint as anonymous
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
    group by hour
)
select h.at, coalesce(users, 0) as value, coalesce(anonymous, 0) as anonymous
from hours h
left join users on users.hour = h.hour
left join nobody on nobody.at = h.at
order by h.hour
