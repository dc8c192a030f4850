-- On which days of a site is there anything to compare, and which is the first day without expired events (null:
-- nothing has expired)?
-- site_id: the site; from_day, to_day: no earlier and no later than these days, or null.
with days as (
    select min(day) as first, max(day) as last
    from path_days
    where site_id = :'site_id'
    union all
    select min(day), max(day)
    from user_days
    where site_id = :'site_id'
    union all
    select min(day), max(day)
    from sale_days
    where site_id = :'site_id'
    union all
    select min(day), max(day)
    from product_days
    where site_id = :'site_id'
    union all
    select min(day), max(day)
    from session_days
    where site_id = :'site_id'
    union all
    select min(day), max(day)
    from session_page_days
    where site_id = :'site_id'
    union all
    select (min(h.hour) at time zone s.timezone)::date, (max(h.hour) at time zone s.timezone)::date
    from sites s
    join event_hours h on h.site_id = s.site_id
    where s.site_id = :'site_id'
    group by s.timezone
    union all
    select (e.first at time zone s.timezone)::date, (e.last at time zone s.timezone)::date
    from sites s
    cross join (select min(event_time) as first, max(event_time) as last from events where site_id = :'site_id') e
    where s.site_id = :'site_id'
)
select
    greatest(min(days.first), :'from_day'::date) as first,
    least(max(days.last), :'to_day'::date) as last,
    k.first_kept
from kept_days k
cross join days
where k.site_id = :'site_id'
group by k.first_kept
