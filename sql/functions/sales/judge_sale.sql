-- Classify an order or refund as sale_days does. order_key: set only for an order that can count or be repeated.
create or replace function judge_sale(event_type varchar, properties jsonb)
returns table (what text, outcome text, order_key text, currency text, amount numeric, lines jsonb)
language sql immutable parallel safe
as $$
    select
        case when is_refund(event_type) then 'refund' else 'order' end,
        coalesce(fault, 'counted'),
        case when fault is null and not is_refund(event_type) then index_key(order_id) end,
        currency,
        amount,
        lines
    from read_sale(properties, is_refund(event_type))
$$;
