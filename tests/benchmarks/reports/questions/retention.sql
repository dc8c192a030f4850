-- Of the users first seen on a day of the range, how many were there on each of the days up to the thirtieth after?
with days as (
    select distinct user_id, {day} as day
    from events
    where site_id = 'shop-0' and user_id is not null
),
firsts as (
    select user_id, min(day) as first
    from days
    group by 1
)
select first, day - first, count(*)
from firsts
join days using (user_id)
where first >= {first} and first < {end} and day - first <= 30
group by 1, 2
