-- Differences of counted_orders: where do its rows of these days differ from the events? See sql/README.md, "Recounts".
-- Columns says_*: actual; the same names without it: expected.
create or replace function different_counted_orders(site varchar, first_day date, last_day date)
returns table (
    event_time timestamptz, event_id uuid,
    says_counted boolean, says_user varchar, says_currency text, says_amount numeric,
    counted boolean, user_id varchar, currency text, amount numeric
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
    range_start timestamptz;
    range_end timestamptz;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    range_start := first_day::timestamp at time zone zone - interval '3 hours';
    range_end := (last_day + 1)::timestamp at time zone zone + interval '3 hours';
    return query
    select
        coalesce(s.event_time, r.event_time), coalesce(s.event_id, r.event_id),
        s.event_id is not null, s.user_id, s.currency, s.amount,
        r.event_id is not null, r.user_id, r.currency, r.amount
    from (
        select event_time, event_id, user_id, currency, amount
        from counted_orders
        where site_id = site and event_time >= range_start and event_time < range_end
            and (event_time at time zone zone)::date between first_day and last_day
    ) s
    full join (
        select e.event_time, e.event_id, e.user_id, j.currency, j.amount
        from events e
        cross join lateral judge_sale(e.event_type, e.properties) j
        left join orders o on o.site_id = site and o.order_key = j.order_key
        where e.site_id = site and e.event_time >= range_start and e.event_time < range_end
            and (e.event_time at time zone zone)::date between first_day and last_day
            and is_sale(e.event_type) and j.what = 'order' and j.outcome = 'counted'
            and (j.order_key is null or (o.event_time, o.event_id) = (e.event_time, e.event_id))
    ) r on r.event_time = s.event_time and r.event_id = s.event_id
    where (s.event_id, s.user_id, s.currency, s.amount) is distinct from (r.event_id, r.user_id, r.currency, r.amount);
end
$$;
