-- How many different users did a site have in each bucket of a range, and how many events without a user? From the
-- events themselves.
-- site_id: the site; start, end: the range, half-open; interval: minute, hour, day, week or month of timezone; filters:
-- see event_matches.
with pairs as (
    select date_trunc(:'interval', event_time, :'timezone') as at, user_id, count(*) as events
    from events
    where site_id = :'site_id' and event_time >= :'start' and event_time < :'end'
        and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
    group by 1, 2
)
select at, count(user_id) as value, coalesce(sum(events) filter (where user_id is null), 0)::bigint as anonymous
from pairs
group by at
order by at
