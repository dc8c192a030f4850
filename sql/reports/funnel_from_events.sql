-- How many users took the steps of a funnel, in order and within a time window? From the events themselves.
-- site_id: the site; start, end: the range, half-open, in which the first step is taken; window: in microseconds, the
-- time for the other steps, which may end after the range; steps: a JSON array of two to eight filters, one per step,
-- each with its event types; filters: for all steps; see event_matches; by_properties, by_visitor: whether any of
-- these filters is about properties, and about visitors; event_types: the event types of all steps; kinds, kinds_after:
-- if steps are about event types only, JSON objects that map an event type to its steps (one bit per step, as two
-- hexadecimal digits), within the range and after it, where nothing is the first step; else null; besides: for each step
-- all bytes without its bit, see follow_funnel; shares: see funnel_shares.sql.
-- Each share of the users is read in order of an index; parallel processes can divide the shares. Users with events of
-- the first step only are not followed.
with matching as not materialized (
    select
        user_id,
        event_time,
        case
            when :'kinds'::jsonb is null then encode(funnel_kind(
                event_type, path, user_id, case when :'by_visitor' then visitor_id end,
                case when :'by_properties' then properties end, :'steps'::jsonb, event_time < :'end'
            ), 'hex')
            when event_time < :'end' then :'kinds'::jsonb ->> event_type
            else :'kinds_after'::jsonb ->> event_type
        end as kind
    from events
    where site_id = :'site_id' and user_id is not null
        and event_type = any (:'event_types'::text[])
        and event_time >= :'start' and event_time <= :'end'::timestamptz + :'window' * interval '1 microsecond'
        and event_matches(
            event_type, path, user_id, case when :'by_visitor' then visitor_id end,
            case when :'by_properties' then properties end, :'filters'::jsonb
        )
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
                    event_type, path, user_id, case when :'by_visitor' then visitor_id end,
                    case when :'by_properties' then properties end, :'steps'::jsonb, true
                ), 'hex')
                else :'kinds'::jsonb ->> event_type
            end as kind,
            count(*) as events
        from events
        where site_id = :'site_id' and user_id is null
            and event_type = any (:'event_types'::text[])
            and event_time >= :'start' and event_time < :'end'
            and event_matches(
                event_type, path, user_id, case when :'by_visitor' then visitor_id end,
                case when :'by_properties' then properties end, :'filters'::jsonb
            )
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
