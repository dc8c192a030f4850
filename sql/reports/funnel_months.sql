-- How is a funnel's range divided into months of user_months, and which byte stands for each event type? No row if
-- user_months lacks more than four days of the range; then the events are read.
-- site_id: the site; start, end: the range, half-open; window: in microseconds, how long it continues for the later
-- steps; now: the current time.
--
-- All months are in UTC. first_month: the month in which the range begins, or null if it begins with the month;
-- end_month, last_month: the months in which the range and the window end; main_month: the month with most of the
-- range, which is its last one or the one before; before_start, before_end: the last moments before the range's start
-- and end; last_moment: when the window ends; packed_until: the watermark of user_months. As texts, as Python's dates
-- cannot hold some of them.
with bounds as (
    select
        user_months_until as packed_until,
        :'start'::timestamptz - interval '1 microsecond' as before_start,
        :'end'::timestamptz - interval '1 microsecond' as before_end,
        :'end'::timestamptz + :'window' * interval '1 microsecond' as last_moment
    from sites
    where site_id = :'site_id' and user_months_until >= least(:'end'::timestamptz, :'now') - interval '4 days'
),
months as (
    select
        *,
        date_trunc('month', :'start', 'UTC') as month_of_start,
        date_trunc('month', before_end, 'UTC') as final,
        date_trunc('month', before_end, 'UTC') - interval '1 day' as before_final
    from bounds
)
select
    packed_until::text, before_start::text, before_end::text, last_moment::text,
    case when month_of_start < :'start' then (month_of_start at time zone 'UTC')::date::text end as first_month,
    date_trunc('month', :'end'::timestamptz at time zone 'UTC')::date::text as end_month,
    date_trunc('month', last_moment at time zone 'UTC')::date::text as last_month,
    (date_trunc('month', case
        when :'end'::timestamptz - final < final - greatest(:'start', date_trunc('month', before_final, 'UTC'))
            then before_final
        else final
    end, 'UTC') at time zone 'UTC')::date::text as main_month,
    (
        select coalesce(jsonb_object_agg(event_type, number), '{}')
        from event_types
        where site_id = :'site_id'
    ) as numbers
from months
