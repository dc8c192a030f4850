-- What an order or a refund says in its properties, by the names that Segment's and Google's e-commerce events give them.

-- The number that a text is: up to 15 digits before the point and 30 after it; null for any other text.
create function exact_number(value text) returns numeric
language sql immutable parallel safe
return case when value ~ '^ *[+-]?[0-9]{1,15}(\.[0-9]{1,30})? *$' then value::numeric end;

create function sale_order_id(properties jsonb) returns text
language sql immutable parallel safe
return nullif(coalesce(properties ->> 'order_id', properties ->> 'transaction_id'), '');

create function sale_amount_text(properties jsonb) returns text
language sql immutable parallel safe
return coalesce(properties ->> 'revenue', properties ->> 'total', properties ->> 'value');

create function sale_currency(properties jsonb) returns text
language sql immutable parallel safe
return case when properties ->> 'currency' ~ '^ *[A-Za-z]{3} *$' then upper(btrim(properties ->> 'currency')) end;

-- All events of an order, whenever they were: an order that is sent again counts once. Cut, since an entry of an index
-- may have 2,704 bytes only.
create index events_orders on events (site_id, left(sale_order_id(properties), 255), event_time)
where sale_order_id(properties) is not null;

-- Orders and refunds of a time, by the event types that GET /revenue takes for them unless told others.
create index events_sales on events (site_id, event_time)
where event_type in (
    'Order Completed', 'order_completed', 'purchase', 'Purchase', 'checkout_completed',
    'Order Refunded', 'order_refunded', 'refund', 'Refund'
);
