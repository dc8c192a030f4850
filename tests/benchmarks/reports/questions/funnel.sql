-- How many users viewed a page, then clicked and then bought, each later than the one before and all within a day of the
-- first; how long did a step take them in the middle; and how many events of each type name nobody?
-- The latest view before a click is the one from which a user can be followed for longest, and only ever gets later.
with moments as (
    select
        user_id,
        {micros} as micros,
        max(case when event_type = 'page_view' and event_time < {end} then 1 else 0 end) as viewed,
        max(case when event_type = 'click' then 1 else 0 end) as clicked,
        max(case when event_type = 'purchase' then 1 else 0 end) as bought
    from events
    where site_id = 'shop-0' and user_id is not null
        and event_time >= {first} and event_time <= {end} + interval '1' day
    group by 1, 2
),
views as (
    select *, max(case when viewed = 1 then micros end) over earlier as view_at
    from moments
    window earlier as (partition by user_id order by micros rows between unbounded preceding and 1 preceding)
),
clicks as (
    select *, case when clicked = 1 and micros - view_at <= 86400000000 then micros end as click_at
    from views
),
followed as (
    select
        user_id, micros, viewed, bought, view_at, click_at,
        max(click_at) over earlier as last_click,
        max(case when click_at is not null then view_at end) over earlier as last_view
    from clicks
    window earlier as (partition by user_id order by micros rows between unbounded preceding and 1 preceding)
),
purchases as (
    select *, case when bought = 1 and micros - last_view <= 86400000000 then micros end as purchase_at
    from followed
),
taken as (
    select 1 as step, user_id, null as seconds
    from purchases
    where viewed = 1
    group by user_id
    union all
    select 2, user_id, (min(click_at) - min(view_at)) / 1e6
    from purchases
    where click_at is not null
    group by user_id
    union all
    select 3, user_id, (min(purchase_at) - min(last_click)) / 1e6
    from purchases
    where purchase_at is not null
    group by user_id
),
anonymous as (
    select case event_type when 'page_view' then 1 when 'click' then 2 else 3 end as step, count(*) as events
    from events
    where site_id = 'shop-0' and user_id is null and event_time >= {first} and event_time < {end}
    group by 1
)
select step, users, seconds, events
from (
    select step, count(*) as users, {median_seconds} as seconds
    from taken
    group by step
) steps
join anonymous using (step)
