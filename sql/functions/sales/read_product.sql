-- Parse one product of an order, or of a view of it: as read_lines does, with its category and brand.
create or replace function read_product(line jsonb)
returns table (
    product text, name text, category text, brand text, quantity numeric, revenue numeric, fault text
)
language sql immutable parallel safe
as $$
    select
        l.product,
        l.name,
        coalesce(
            given_text(line ->> 'category', line, 'category'), given_text(line ->> 'item_category', line, 'item_category')
        ),
        coalesce(given_text(line ->> 'brand', line, 'brand'), given_text(line ->> 'item_brand', line, 'item_brand')),
        l.quantity,
        l.revenue,
        l.fault
    from read_lines(jsonb_build_array(line)) l
$$;
