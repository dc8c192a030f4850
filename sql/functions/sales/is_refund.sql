-- Is this event type a refund? The same list: REFUNDS in db/reports/revenue.py, and the index events_sales.
create or replace function is_refund(event_type varchar) returns boolean
language sql immutable parallel safe
return event_type collate "C" in ('Order Refunded', 'order_refunded', 'refund', 'Refund');
