-- How many users took the steps of a funnel, one after the other and within a window of time?
-- site_id: the site; start, end: the range, half-open, in which the first step is taken; window: the interval, in seconds,
-- in which the others follow it, also after the range; steps: a JSON array of two to eight filters, one a step; filters:
-- for all of the steps; see event_matches.
--
-- Only the events of those who may have gone on to the second step are sorted. What happens at one moment has no order.
with matching as materialized (
    select
        user_id,
        event_time,
        (event_time < :'end' and event_matches(event_type, path, user_id, properties, steps -> 0))::integer
            + (steps -> 1 is not null and event_matches(event_type, path, user_id, properties, steps -> 1))::integer * 2
            + (steps -> 2 is not null and event_matches(event_type, path, user_id, properties, steps -> 2))::integer * 4
            + (steps -> 3 is not null and event_matches(event_type, path, user_id, properties, steps -> 3))::integer * 8
            + (steps -> 4 is not null and event_matches(event_type, path, user_id, properties, steps -> 4))::integer * 16
            + (steps -> 5 is not null and event_matches(event_type, path, user_id, properties, steps -> 5))::integer * 32
            + (steps -> 6 is not null and event_matches(event_type, path, user_id, properties, steps -> 6))::integer * 64
            + (steps -> 7 is not null and event_matches(event_type, path, user_id, properties, steps -> 7))::integer * 128
            as steps
    from events
    cross join (select :'steps'::jsonb as steps) funnel
    where site_id = :'site_id'
        and event_time >= :'start'
        and event_time < :'end'::timestamptz + :'window'::interval + interval '1 microsecond'
        and event_matches(event_type, path, user_id, properties, :'filters'::jsonb)
),
visitors as materialized (
    select user_id, bit_or(steps) as steps
    from matching
    where user_id is not null and steps > 0
    group by user_id
),
moments as (
    select user_id, m.event_time as moment, bit_or(m.steps) as steps
    from matching m
    join visitors v using (user_id)
    where m.steps > 0 and v.steps & 3 = 3
    group by user_id, m.event_time
),
followed as (
    select funnel_times(moment, steps, :'window' order by moment) as times
    from moments
    group by user_id
),
counted as (
    select 1 as step, count(*) as users, null as median_seconds
    from visitors
    where steps & 1 = 1
    union all
    select
        step,
        count(*),
        percentile_cont(0.5) within group (order by extract(epoch from times[3][step] - times[4][step])::float)
    from followed
    cross join generate_series(2, 8) step
    where times[3][step] is not null
    group by step
),
anonymous as (
    select step, count(*) as anonymous
    from matching
    cross join generate_series(1, 8) step
    where user_id is null and event_time < :'end' and steps >> (step - 1) & 1 = 1
    group by step
)
select step, coalesce(users, 0) as users, median_seconds, coalesce(anonymous, 0) as anonymous
from generate_series(1, jsonb_array_length(:'steps'::jsonb)) step
left join counted using (step)
left join anonymous using (step)
order by step
