-- How many users took the steps of a funnel, in order and within a time window? From user_months, and the events after
-- its watermark.
-- site_id: the site; start, end: the range, half-open, of whole hours of the site, in which the first step is taken;
-- window: in microseconds, the time for the other steps, which may end after the range; packed_until, before_start,
-- before_end, last_moment, first_month, end_month, last_month, main_month: see funnel_months.sql; event_types, numbers:
-- arrays of all event types of the steps and of their bytes; step_types: a JSON array with an array of event types for
-- each step; besides: see follow_funnel; firsts, reaches, opening: see funnel_taken.
--
-- For users without events in the other months, the row of the main month is not copied: that is most of the work.
with packed as not materialized (
    select
        user_id,
        month,
        case when is_cut then substr(kinds, before + 1, upto - before) else kinds end as kinds,
        case when is_cut then moments[before + 1:upto] else moments end as moments,
        case when is_cut then greatest(starting - before, 0) else length(kinds) end as starting
    from (
        select
            *,
            month = :'first_month' is true or month >= :'end_month' as is_cut,
            case when month = :'first_month' then width_bucket(:'before_start', moments) else 0 end as before,
            case when month >= :'end_month' then width_bucket(:'before_end', moments) else length(kinds) end as starting,
            case when month >= :'last_month' then width_bucket(:'last_moment', moments) else length(kinds) end as upto
        from user_months
        where site_id = :'site_id'
    ) placed
    where not is_cut or upto > before
),
fresh as not materialized (
    select
        user_id,
        date 'infinity' as month,
        string_agg(
            set_byte('\x00', 0, (:'numbers'::integer[])[array_position(:'event_types'::text[], event_type::text)]), ''
            order by event_time
        ) as kinds,
        array_agg(event_time order by event_time) as moments,
        count(*) filter (where event_time < :'end')::integer as starting
    from (
        select user_id, event_type, event_time
        from events
        where site_id = :'site_id' and user_id is not null
            and event_type = any (:'event_types'::text[])
            and event_time >= greatest(:'start'::timestamptz, :'packed_until')
            and event_time <= :'last_moment'
        order by user_id, event_time
    ) events
    group by user_id
),
others as not materialized (
    select
        user_id,
        concat_kinds(kinds order by month) filter (where month < :'main_month') as kinds_before,
        concat_moments(moments order by month) filter (where month < :'main_month') as moments_before,
        concat_kinds(kinds order by month) filter (where month > :'main_month') as kinds_after,
        concat_moments(moments order by month) filter (where month > :'main_month') as moments_after,
        sum(starting)::integer as starting
    from (
        select *
        from packed
        where month >= date_trunc('month', :'start'::timestamptz at time zone 'UTC')::date and month < :'main_month'
        union all
        select *
        from packed
        where month > :'main_month' and month <= :'last_month'
        union all
        select * from fresh
    ) parts
    group by user_id
),
whole as not materialized (
    select kinds, moments, starting
    from packed p
    where month = :'main_month' and not exists (select 1 from others o where o.user_id = p.user_id)
    union all
    select
        coalesce(o.kinds_before, '') || coalesce(m.kinds, '') || coalesce(o.kinds_after, ''),
        o.moments_before || m.moments || o.moments_after,
        o.starting + coalesce(m.starting, 0)
    from others o
    left join packed m on m.month = :'main_month' and m.user_id = o.user_id
),
followed as (
    select funnel_taken(
        kinds, moments, starting, :'window' * interval '1 microsecond',
        :'besides'::bytea[], :'firsts'::bytea[], :'reaches'::bytea[], :'opening'
    ) as taken
    from whole
    offset 0 -- computed once per user
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
    select step, sum(h.events)::bigint as anonymous
    from jsonb_array_elements(:'step_types'::jsonb) with ordinality s (event_types, step)
    join (
        select event_type, sum(anonymous) as events
        from event_hours
        where site_id = :'site_id' and event_type = any (:'event_types'::text[]) and hour >= :'start' and hour < :'end'
        group by event_type
    ) h on s.event_types ? h.event_type
    group by step
)
select
    step,
    users[step] as users,
    median_seconds[step] as median_seconds,
    coalesce(anonymous, 0) as anonymous
from taken
cross join generate_series(1, jsonb_array_length(:'step_types'::jsonb)) step
left join anonymous using (step)
order by step
