-- Which part of these days' rollups comes from events that are gone? The site's events_from has to be null during the
-- call.
create or replace function counted_of_gone_events(site varchar, first_day date, last_day date) returns jsonb
language plpgsql stable
as $$
declare
    none bit(8192) := repeat('0', 8192)::bit(8192);
begin
    return jsonb_build_object(
        'event_hours', (
            select jsonb_agg(jsonb_build_object(
                'event_type', d.event_type, 'hour', d.hour, 'events', d.says - coalesce(d.should, 0),
                'anonymous', greatest(d.anonymous_says - coalesce(d.anonymous, 0), 0)
            ))
            from different_event_hours(site, first_day - 2, last_day) d -- may be of these days in another timezone
            where d.says > coalesce(d.should, 0)
        ),
        'path_days', (
            select jsonb_agg(jsonb_build_object(
                'event_type', d.event_type, 'day', d.day, 'path', d.path, 'events', d.says - coalesce(d.should, 0)
            ))
            from different_path_days(site, first_day, last_day) d
            where d.says > coalesce(d.should, 0)
        ),
        'user_days', (
            select jsonb_agg(jsonb_build_object(
                'event_type', d.event_type, 'day', d.day, 'chunk', d.chunk, 'users', d.says & ~ coalesce(d.should, none)
            ))
            from different_user_days(site, first_day, last_day) d
            where d.says & ~ coalesce(d.should, none) <> none
        ),
        'sale_days', (
            select jsonb_agg(jsonb_build_object(
                'day', d.day, 'what', d.what, 'outcome', d.outcome, 'currency', d.currency,
                'events', d.says - coalesce(d.should, 0), 'amount', d.says_amount - coalesce(d.amount, 0)
            ))
            from different_sale_days(site, first_day, last_day) d
            where d.says > coalesce(d.should, 0)
        ),
        'product_days', (
            select jsonb_agg(jsonb_build_object(
                'day', d.day, 'currency', d.currency, 'product_key', d.product_key, 'product', d.product, 'name', d.name,
                'orders', d.says - coalesce(d.should, 0), 'quantity', d.says_quantity - coalesce(d.quantity, 0),
                'revenue', d.says_revenue - coalesce(d.revenue, 0)
            ))
            from different_product_days(site, first_day, last_day) d
            where d.says > coalesce(d.should, 0)
        )
    );
end
$$;
