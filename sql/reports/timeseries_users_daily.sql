-- How many unique users did a site have on each day of a range, and how many events without a user? From rollups.
-- site_id: the site; span_firsts, span_ends: days of the site and the day after each, as arrays, whose users user_spans
-- has counted already; days_from, end_day: the days after these, half-open; start, end: the whole range as instants;
-- timezone: the site's; step: see buckets.sql.
with users as (
    select s.first_day as day, sum(s.counted)::bigint as users
    from unnest(:'span_firsts'::date[], :'span_ends'::date[]) u (first_day, end_day)
    join user_spans s on s.site_id = :'site_id' and s.first_day = u.first_day and s.end_day = u.end_day
        and s.event_type = ''
    group by s.first_day
    union all
    select day, sum(bit_count(users))::bigint
    from (
        select day, bit_or(users) as users
        from user_days
        where site_id = :'site_id' and day >= :'days_from' and day < :'end_day'
        group by day, chunk
    ) chunks
    group by day
),
nobody as (
    select (hour at time zone :'timezone')::date as day, sum(anonymous)::bigint as anonymous
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
    group by 1
)
select at, coalesce(users, 0) as value, coalesce(anonymous, 0) as anonymous
from buckets(:'start', :'end', 'day', :'step'::interval, :'timezone')
left join users on users.day = (at at time zone :'timezone')::date
left join nobody on nobody.day = (at at time zone :'timezone')::date
order by at
