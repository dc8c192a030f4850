-- How many unique users did a site have in a range, and how many events without a user? From rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; start, end: the same as instants; filters: on
-- event types, see event_matches. Without filters the days from days_until to days_from are read as the spans that
-- begin and end on the days of the arrays span_firsts and span_ends.
with parts as (
    select chunk, users
    from user_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'days_until'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
    union all
    select s.chunk, s.users
    from unnest(:'span_firsts'::date[], :'span_ends'::date[]) u (first_day, end_day)
    join user_spans s on s.site_id = :'site_id' and s.first_day = u.first_day and s.end_day = u.end_day
        and s.event_type = ''
    union all
    select chunk, users
    from user_days
    where site_id = :'site_id' and day >= :'days_from' and day < :'end_day'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
),
chunks as (
    select bit_or(users) as users
    from parts
    group by chunk
),
hours as (
    select anonymous
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
        and event_matches(event_type, null, null, null, null, :'filters'::jsonb)
)
select
    (select coalesce(sum(bit_count(users)), 0)::bigint from chunks) as users,
    (select coalesce(sum(anonymous), 0)::bigint from hours) as anonymous
