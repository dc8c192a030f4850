-- Parse the products of an order, one row per entry. fault: why an entry cannot be counted, or null. A value that is
-- not a list yields one entry.
create or replace function read_lines(lines jsonb)
returns table (product text, name text, quantity numeric, revenue numeric, fault text)
language sql immutable parallel safe
as $$
    select
        product,
        name,
        quantity,
        price * quantity,
        case
            when lines_type <> 'array' then 'products_invalid'
            when product is null then 'product_missing'
            when price is null or price < 0 then 'price_invalid'
            when quantity is null or quantity < 0 then 'quantity_invalid'
        end
    from (
        select
            lines_type,
            coalesce(
                given_text(product_id, line, 'product_id'), given_text(sku, line, 'sku'), given_text(item_id, line, 'item_id'),
                given_text(name, line, 'name'), given_text(item_name, line, 'item_name')
            ) as product,
            coalesce(given_text(name, line, 'name'), given_text(item_name, line, 'item_name')) as name,
            exact_number(price) as price,
            case when given(quantity) is null then 1 else exact_number(quantity) end as quantity
        from (
            select
                line,
                lines_type,
                line ->> 'product_id' as product_id,
                line ->> 'sku' as sku,
                line ->> 'item_id' as item_id,
                line ->> 'name' as name,
                line ->> 'item_name' as item_name,
                line -> 'price' as price,
                line -> 'quantity' as quantity
            from (select lines, jsonb_typeof(lines) as lines_type where lines is not null offset 0) whole
            cross join lateral jsonb_array_elements(case lines_type when 'array' then whole.lines else '[null]' end) line
            offset 0
        ) given
        offset 0
    ) read
$$;
