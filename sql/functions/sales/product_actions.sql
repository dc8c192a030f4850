-- Who viewed, added to a cart and began to pay which products in a range, and in how many events?
--
-- view_types, cart_types, checkout_types: the event types; filters: see event_matches; part: product, category or brand.
-- value: that of the product, or empty if it has none. An event has the products in its `products` or `items`, or is
-- itself about one. A product that is several times in an event counts once.
create or replace function product_actions(
    site varchar, range_start timestamptz, range_end timestamptz, view_types text[], cart_types text[],
    checkout_types text[], filters jsonb, part text
)
returns table (action text, value text, name text, user_id varchar, events bigint)
language plpgsql stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select action, value, max(name collate "C"), user_id, count(*)
    from (
        select
            a.action,
            coalesce(case part when 'product' then p.product when 'category' then p.category else p.brand end, '')
                collate "C" as value,
            max(p.name collate "C") as name,
            e.user_id
        from events e
        cross join lateral read_sale(e.properties, false) s
        cross join lateral (select coalesce(s.lines, jsonb_build_array(e.properties)) as lines offset 0) l
        cross join lateral jsonb_array_elements(case jsonb_typeof(l.lines) when 'array' then l.lines else '[]' end) line
        cross join lateral read_product(line) p
        cross join lateral (
            select 'view' as action where e.event_type = any(view_types)
            union all
            select 'cart' where e.event_type = any(cart_types)
            union all
            select 'checkout' where e.event_type = any(checkout_types)
        ) a
        where e.site_id = site and e.event_time >= range_start and e.event_time < range_end
            and e.event_type = any(view_types || cart_types || checkout_types)
            and event_matches(e.event_type, e.path, e.user_id, e.visitor_id, e.properties, filters)
            and p.product is not null
        group by e.event_id, e.event_time, e.user_id, a.action, 2
    ) of_events
    group by action, value, user_id;
end
$$;
