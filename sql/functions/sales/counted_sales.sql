-- Which orders and refunds of a range count? The same as GET /revenue counts (sql/reports/revenue_from_events.sql): of
-- an order that was sent several times the first event that can be counted, if that is in the range and matches.
--
-- order_types, refund_types: the event types of orders and refunds; usual: whether they are those of is_sale; filters:
-- see event_matches; lines_from: from when on the products of each are returned as well (read_lines).
create or replace function counted_sales(
    site varchar, range_start timestamptz, range_end timestamptz, order_types text[], refund_types text[], usual boolean,
    filters jsonb, lines_from timestamptz
)
returns table (
    event_id uuid, event_time timestamptz, user_id varchar, is_refund boolean, order_id text, currency text,
    amount numeric, lines jsonb
)
language plpgsql stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    with ids as materialized (
        select distinct given_order_id(properties) as order_id
        from events
        where site_id = site and event_time >= range_start and event_time < range_end
            and event_type = any(order_types)
            and event_matches(event_type, path, user_id, visitor_id, properties, filters)
    ),
    -- Orders whose counting event has expired: further events of them are repeated.
    counted_before as materialized (
        select ids.order_id
        from ids
        join orders o on o.site_id = site and o.order_key = index_key(ids.order_id)
        join sites s on s.site_id = site and o.event_time < s.events_from
        where usual
    ),
    given as (
        select *, event_type = any(refund_types) as is_refund
        from (
            select
                event_id, event_time, event_type, user_id, properties,
                event_time >= range_start
                    and event_matches(event_type, path, user_id, visitor_id, properties, filters) as asked
            from events
            where site_id = site and event_time < range_end and event_type = any(order_types || refund_types)
            offset 0
        ) sent
        where asked
            or event_type = any(order_types) and given_order_id(properties) in (select order_id from ids)
    ),
    placed as (
        select
            g.event_id, g.event_time, g.user_id, g.is_refund, g.asked, r.order_id, r.amount, r.fault,
            r.currency collate "C" as currency,
            case when g.event_time >= lines_from then r.lines end as lines,
            row_number() over (
                partition by r.order_id collate "C", g.is_refund, r.fault is null
                order by g.event_time, g.event_id
            ) as nth
        from given g
        cross join lateral read_sale(g.properties, g.is_refund) r
    )
    select event_id, event_time, user_id, is_refund, order_id, currency, amount, lines
    from placed
    where asked and fault is null and (
        is_refund or order_id is null
        or nth = 1 and order_id not in (select b.order_id from counted_before b where b.order_id is not null)
    );
end
$$;
