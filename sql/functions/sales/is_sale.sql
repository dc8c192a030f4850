-- The event types of orders and of refunds; see is_refund.
create or replace function is_sale(event_type varchar) returns boolean
language sql immutable parallel safe
return event_type collate "C" in (
    'Order Completed', 'order_completed', 'purchase', 'Purchase', 'checkout_completed',
    'Order Refunded', 'order_refunded', 'refund', 'Refund'
);
