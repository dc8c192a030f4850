-- Differences of orders: for which orders does the rollup name a different event than the events themselves? If the
-- rollup's event has expired, it counts as right. Columns says_*: actual; event_time, event_id: expected.
create or replace function different_orders(site varchar)
returns table (order_key text, says_time timestamptz, says_id uuid, event_time timestamptz, event_id uuid)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    kept_from timestamptz := (select coalesce(s.events_from, '-infinity') from sites s where s.site_id = site);
begin
    return query
    select coalesce(o.order_key, f.order_key), o.event_time, o.event_id, f.event_time, f.event_id
    from (
        select order_key, event_time, event_id from orders where site_id = site
    ) o
    full join (
        select distinct on (j.order_key) j.order_key collate "C" as order_key, e.event_time, e.event_id
        from events e
        cross join lateral judge_sale(e.event_type, e.properties) j
        where e.site_id = site and e.event_time >= kept_from and is_sale(e.event_type) and j.order_key is not null
        order by j.order_key, e.event_time, e.event_id
    ) f on f.order_key = o.order_key
    where (o.event_time >= kept_from or o.event_time is null)
        and (o.event_time, o.event_id) is distinct from (f.event_time, f.event_id);
end
$$;
