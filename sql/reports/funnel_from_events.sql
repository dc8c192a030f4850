-- How many users took the steps of a funnel, one after the other and within a window of time?
-- site_id: the site; start, end: the range, half-open, in which the first step is taken; window: in which the others follow
-- it, also after the range, in microseconds; steps: a JSON array of two to eight filters, one a step, each with the event
-- types that it is about; filters: for all of the steps; see event_matches; by_properties: whether any of these filters is
-- about properties; event_types: all that the steps are about; kinds, kinds_after: where steps are about event types only,
-- JSON objects of which steps, a bit each, an event of a type is, as two hexadecimal digits, in the range and after it,
-- where nothing is the first step; else null; besides: for each step all bytes without its bit, see
-- follow_funnel; shares: see funnel_shares.sql.
--
-- Each share of the users is followed in order of an index; several processes can divide the shares. Who did nothing but the
-- first step need not be followed.
with matching as not materialized (
    select
        user_id,
        event_time,
        case
            when :'kinds'::jsonb is null then encode(funnel_kind(
                event_type, path, user_id, case when :'by_properties' then properties end, :'steps'::jsonb,
                event_time < :'end'
            ), 'hex')
            when event_time < :'end' then :'kinds'::jsonb ->> event_type
            else :'kinds_after'::jsonb ->> event_type
        end as kind
    from events
    where site_id = :'site_id' and user_id is not null
        and event_type = any (:'event_types'::text[])
        and event_time >= :'start' and event_time <= :'end'::timestamptz + :'window' * interval '1 microsecond'
        and event_matches(event_type, path, user_id, case when :'by_properties' then properties end, :'filters'::jsonb)
),
followed as (
    select case
        when bool_and(kind = '01') then array[interval '0']
        else follow_funnel(
            decode(string_agg(kind, '' order by event_time), 'hex'), array_agg(event_time order by event_time),
            count(*)::integer,
            jsonb_array_length(:'steps'::jsonb), :'window' * interval '1 microsecond', :'besides'::bytea[]
        )
    end as taken
    from (
        select *
        from matching
        where cardinality(:'shares'::text[]) < 1 or user_id < (:'shares'::text[])[1]
        order by user_id, event_time
    ) share
    group by user_id
    union all
    select case
        when bool_and(kind = '01') then array[interval '0']
        else follow_funnel(
            decode(string_agg(kind, '' order by event_time), 'hex'), array_agg(event_time order by event_time),
            count(*)::integer,
            jsonb_array_length(:'steps'::jsonb), :'window' * interval '1 microsecond', :'besides'::bytea[]
        )
    end as taken
    from (
        select *
        from matching
        where user_id >= (:'shares'::text[])[1]
            and (cardinality(:'shares'::text[]) < 2 or user_id < (:'shares'::text[])[2])
        order by user_id, event_time
    ) share
    group by user_id
    union all
    select case
        when bool_and(kind = '01') then array[interval '0']
        else follow_funnel(
            decode(string_agg(kind, '' order by event_time), 'hex'), array_agg(event_time order by event_time),
            count(*)::integer,
            jsonb_array_length(:'steps'::jsonb), :'window' * interval '1 microsecond', :'besides'::bytea[]
        )
    end as taken
    from (
        select *
        from matching
        where user_id >= (:'shares'::text[])[2]
            and (cardinality(:'shares'::text[]) < 3 or user_id < (:'shares'::text[])[3])
        order by user_id, event_time
    ) share
    group by user_id
    union all
    select case
        when bool_and(kind = '01') then array[interval '0']
        else follow_funnel(
            decode(string_agg(kind, '' order by event_time), 'hex'), array_agg(event_time order by event_time),
            count(*)::integer,
            jsonb_array_length(:'steps'::jsonb), :'window' * interval '1 microsecond', :'besides'::bytea[]
        )
    end as taken
    from (
        select *
        from matching
        where user_id >= (:'shares'::text[])[3]
        order by user_id, event_time
    ) share
    group by user_id
),
taken as (
    select
        array[
            count(taken[1]), count(taken[2]), count(taken[3]), count(taken[4]),
            count(taken[5]), count(taken[6]), count(taken[7]), count(taken[8])
        ] as users,
        array[
            null,
            percentile_cont(0.5) within group (order by date_part('epoch', taken[2])),
            percentile_cont(0.5) within group (order by date_part('epoch', taken[3])),
            percentile_cont(0.5) within group (order by date_part('epoch', taken[4])),
            percentile_cont(0.5) within group (order by date_part('epoch', taken[5])),
            percentile_cont(0.5) within group (order by date_part('epoch', taken[6])),
            percentile_cont(0.5) within group (order by date_part('epoch', taken[7])),
            percentile_cont(0.5) within group (order by date_part('epoch', taken[8]))
        ] as median_seconds
    from followed
),
anonymous as (
    select step, sum(events)::bigint as anonymous
    from (
        select
            case
                when :'kinds'::jsonb is null then encode(funnel_kind(
                    event_type, path, user_id, case when :'by_properties' then properties end, :'steps'::jsonb, true
                ), 'hex')
                else :'kinds'::jsonb ->> event_type
            end as kind,
            count(*) as events
        from events
        where site_id = :'site_id' and user_id is null
            and event_type = any (:'event_types'::text[])
            and event_time >= :'start' and event_time < :'end'
            and event_matches(event_type, path, user_id, case when :'by_properties' then properties end, :'filters'::jsonb)
        group by 1
    ) counted
    join generate_series(1, jsonb_array_length(:'steps'::jsonb)) step on get_byte(decode(kind, 'hex'), 0) >> (step - 1) & 1 = 1
    group by step
)
select
    step,
    users[step] as users,
    median_seconds[step] as median_seconds,
    coalesce(anonymous, 0) as anonymous
from taken
cross join generate_series(1, jsonb_array_length(:'steps'::jsonb)) step
left join anonymous using (step)
order by step
