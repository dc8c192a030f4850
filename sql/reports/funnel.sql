-- How many users took the steps of a funnel, one after the other and within a window of time?
-- site_id: the site; start, end: the range, half-open, in which the first step is taken; window: in which the others follow
-- it, also after the range, in microseconds; steps: a JSON array of two to eight filters, one a step, each with the event
-- types that it is about; filters: for all of the steps; see event_matches; by_properties: whether any of these filters is
-- about properties: without them an index has all that is needed.
--
-- Which steps an event may be is told by its type, once for each type that the site has had: plain are those that need
-- no more, asking those that have filters of their own.
with steps as materialized (
    select step, nth::integer - 1 as bit
    from jsonb_array_elements(:'steps'::jsonb) with ordinality given (step, nth)
),
kinds as materialized (
    select
        event_type,
        coalesce(bit_or(1 << bit) filter (where step - 'event_type_is' = '{}'), 0) as plain,
        coalesce(bit_or(1 << bit) filter (where step - 'event_type_is' <> '{}'), 0) as asking
    from (select distinct event_type from event_hours where site_id = :'site_id') types
    join steps on step -> 'event_type_is' ? event_type
    group by event_type
),
moments as (
    select user_id, (date_part('epoch', event_time) * 1000000)::bigint << 8 | matched as moment
    from (
        select
            user_id,
            event_time,
            plain | case
                when asking = 0 then 0
                else (
                    select coalesce(bit_or(1 << bit), 0)
                    from steps
                    where asking >> bit & 1 = 1 and event_matches(event_type, path, user_id, case when :'by_properties' then properties end, step)
                )
            end & case when event_time < :'end' then 255 else 254 end as matched
        from events
        join kinds using (event_type)
        where site_id = :'site_id' and user_id is not null
            and event_time >= :'start'
            and event_time <= :'end'::timestamptz + :'window' * interval '1 microsecond'
            and event_matches(event_type, path, user_id, case when :'by_properties' then properties end, :'filters'::jsonb)
    ) matching
    where matched > 0
    order by user_id, event_time
),
followed as (
    select follow_funnel(array_agg(moment), jsonb_array_length(:'steps'::jsonb), :'window') as taken
    from moments
    group by user_id
),
counted as (
    select
        step,
        count(*) as users,
        percentile_cont(0.5) within group (order by taken[step] / 1e6::float) filter (where step > 1) as median_seconds
    from followed
    cross join generate_series(1, jsonb_array_length(:'steps'::jsonb)) step
    where taken[step] is not null
    group by step
),
anonymous as (
    select bit + 1 as step, count(*) as anonymous
    from events
    join kinds using (event_type)
    join steps on (plain | asking) >> bit & 1 = 1
    where site_id = :'site_id' and user_id is null and event_time >= :'start' and event_time < :'end'
        and event_matches(event_type, path, user_id, case when :'by_properties' then properties end, :'filters'::jsonb)
        and (plain >> bit & 1 = 1 or event_matches(event_type, path, user_id, case when :'by_properties' then properties end, step))
    group by 1
)
select step, coalesce(users, 0) as users, median_seconds, coalesce(anonymous, 0) as anonymous
from generate_series(1, jsonb_array_length(:'steps'::jsonb)) step
left join counted using (step)
left join anonymous using (step)
order by step
