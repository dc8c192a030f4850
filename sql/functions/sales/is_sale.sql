-- Is this event type an order or a refund? The same list: ORDERS and REFUNDS in db/reports/revenue.py, and the index
-- events_sales.
create or replace function is_sale(event_type varchar) returns boolean
language sql immutable parallel safe
return event_type collate "C" in (
    'Order Completed', 'order_completed', 'purchase', 'Purchase', 'checkout_completed',
    'Order Refunded', 'order_refunded', 'refund', 'Refund'
);
