-- How many unique users did a site have by event type, and how many events without a user? From rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; start, end: the same as instants; filters: on
-- event types, see event_matches; only: the event types; the days from days_until to days_from are read as the spans
-- that begin and end on the days of the arrays span_firsts and span_ends.
with parts as (
    select event_type, chunk, users
    from user_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'days_until'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb) and event_type = any (:'only'::text[])
    union all
    select s.event_type, s.chunk, s.users
    from unnest(:'span_firsts'::date[], :'span_ends'::date[]) u (first_day, end_day)
    join user_spans s on s.site_id = :'site_id' and s.first_day = u.first_day and s.end_day = u.end_day
        and s.event_type = any (:'only'::text[])
    where event_matches(s.event_type, null, null, null, null, :'filters'::jsonb)
    union all
    select event_type, chunk, users
    from user_days
    where site_id = :'site_id' and day >= :'days_from' and day < :'end_day'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb) and event_type = any (:'only'::text[])
),
chunks as (
    select event_type, chunk, bit_or(users) as users
    from parts
    group by event_type, chunk
),
users as (
    select event_type, sum(bit_count(users))::bigint as users
    from chunks
    group by event_type
),
anonymous as (
    select event_type, sum(anonymous)::bigint as anonymous
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb) and event_type = any (:'only'::text[])
    group by event_type
)
select event_type as value, coalesce(users, 0) as users, anonymous
from anonymous
left join users using (event_type)
