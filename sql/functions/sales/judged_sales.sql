-- Classify the orders and refunds of these days, by their events and the table orders; see different_path_days.
create or replace function judged_sales(site varchar, first_day date, last_day date) returns setof judged_sale
language plpgsql stable
set enable_nestloop = on
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select
        e.site_id, e.event_id, e.event_time, (e.event_time at time zone zone)::date, j.what,
        case
            when j.order_key is not null and (o.event_time, o.event_id) is distinct from (e.event_time, e.event_id)
                then 'repeated'
            else j.outcome
        end,
        j.currency, j.amount, j.lines, 1
    from events e
    cross join lateral judge_sale(e.event_type, e.properties) j
    left join orders o on o.site_id = site and o.order_key = j.order_key
    where e.site_id = site
        and e.event_time >= first_day::timestamp at time zone zone - interval '3 hours'
        and e.event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
        and (e.event_time at time zone zone)::date between first_day and last_day
        and is_sale(e.event_type);
end
$$;
