-- The sessions (a user's events up to a silence of 30 minutes) that begin in the range: their numbers, and the ten pages
-- at which most of them begin and end. Events of the same instant are taken in order of their paths.
with placed as (
    select
        *,
        micros - lag(micros, 1, 0) over in_order >= 1800000000 as begins,
        lead(micros, 1, 4000000000000000) over in_order - micros >= 1800000000 as ends
    from (
        select user_id, path, event_type, {micros} as micros, event_time < {end} as in_time, event_time >= {first} as asked
        from events
        where site_id = 'shop-0' and user_id is not null and event_time >= {first} - interval '30' minute
    ) sent
    window in_order as (partition by user_id order by micros, path)
),
numbered as (
    select
        *,
        sum(case when begins then 1 else 0 end) over (
            partition by user_id order by micros, path rows unbounded preceding
        ) as session
    from placed
),
sessions as (
    select
        user_id,
        (max(micros) - min(micros)) / 1e6 as seconds,
        count(*) as events,
        sum(case when event_type = 'page_view' then 1 else 0 end) as views,
        max(case when begins then path end) as entry_page,
        max(case when ends then path end) as exit_page
    from numbered
    group by user_id, session
    having max(case when begins and in_time and asked then 1 else 0 end) = 1
),
entries as (
    select entry_page, count(*) as sessions
    from sessions
    group by 1
    order by 2 desc, 1
    limit 10
),
exits as (
    select exit_page, count(*) as sessions
    from sessions
    group by 1
    order by 2 desc, 1
    limit 10
)
select 'sessions', count(*) * 1e0 from sessions
union all
select 'users', count(distinct user_id) from sessions
union all
select 'bounces', count(*) from sessions where events = 1
union all
select 'views', sum(views) from sessions
union all
select 'average_seconds', avg(seconds) from sessions
union all
select 'median_seconds', {median_seconds} from sessions
union all
select 'anonymous', count(*)
from events
where site_id = 'shop-0' and user_id is null and event_time >= {first} and event_time < {end}
union all
select concat('in ', entry_page), sessions from entries
union all
select concat('out ', exit_page), sessions from exits
