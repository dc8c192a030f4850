-- The order id in an event's properties.
create or replace function given_order_id(properties jsonb) returns text
language sql immutable parallel safe
return coalesce(
    given_text(properties ->> 'order_id', properties, 'order_id'),
    given_text(properties ->> 'transaction_id', properties, 'transaction_id')
);
