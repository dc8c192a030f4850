-- How many different users did a site have in a range, and how many events without a user? From rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; start, end: the same as instants; filters: of event
-- types, see event_matches.
with chunks as (
    select bit_or(users) as users
    from user_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'end_day'
        and event_matches(event_type, null, null, null, :'filters'::jsonb)
    group by chunk
),
hours as (
    select anonymous
    from event_hours
    where site_id = :'site_id' and hour >= :'start' and hour < :'end'
        and event_matches(event_type, null, null, null, :'filters'::jsonb)
)
select
    (select coalesce(sum(bit_count(users)), 0)::bigint from chunks) as users,
    (select coalesce(sum(anonymous), 0)::bigint from hours) as anonymous
