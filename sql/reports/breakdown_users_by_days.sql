-- Which event types had the most events in a range, how many different users, and how many events without a user? From
-- rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; start, end: the same as instants; filters: of event
-- types, see event_matches. rows: of the values that match the regular expression search (empty: of all) and are one of
-- the array only (empty: all), so many as limit says; values: how many of them there are.
with chunks as materialized (
    select event_type, chunk, bit_or(users) as users
    from user_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'end_day'
        and event_matches(event_type, null, null, null, :'filters'::jsonb)
    group by event_type, chunk
),
groups as materialized (
    select event_type as value, events, coalesce(users, 0) as users, anonymous
    from (
        select event_type, sum(events)::bigint as events, sum(anonymous)::bigint as anonymous
        from event_hours
        where site_id = :'site_id' and hour >= :'start' and hour < :'end'
            and event_matches(event_type, null, null, null, :'filters'::jsonb)
        group by event_type
    ) hours
    left join (
        select event_type, sum(bit_count(users))::bigint as users
        from chunks
        group by event_type
    ) users using (event_type)
),
found as (
    select *
    from groups
    where (:'search' = '' or value ~ :'search') and (:'only'::text[] = '{}' or value = any (:'only'::text[]))
),
top as (
    select *
    from found
    order by events desc, value collate "C"
    limit :'limit'
)
select
    (select coalesce(sum(events), 0)::bigint from groups) as events,
    (select coalesce(sum(anonymous), 0)::bigint from groups) as anonymous,
    (
        select coalesce(sum(bit_count(users)), 0)::bigint
        from (select bit_or(users) as users from chunks group by chunk) unions
    ) as users,
    (select count(*) from found) as values,
    (select coalesce(jsonb_agg(top order by events desc, value collate "C"), '[]') from top) as rows
