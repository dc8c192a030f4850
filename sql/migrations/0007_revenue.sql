-- The number that a JSON value is, or the text of one: up to 15 digits before the point (and 30 after it); null for all
-- else. Numbers need no regular expression, which would take most of a report's time.
create function exact_number(value jsonb) returns numeric
language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'number' then case when abs(value::numeric) < 1e15 then value::numeric end
    when 'string' then case when value #>> '{}' ~ '^ *[+-]?[0-9]{1,15}(\.[0-9]{1,30})? *$' then (value #>> '{}')::numeric end
end;

-- Orders and refunds are few among the events: those of the types that GET /revenue takes for them unless told others.
create index events_sales on events (site_id, event_time)
where event_type in (
    'Order Completed', 'order_completed', 'purchase', 'Purchase', 'checkout_completed',
    'Order Refunded', 'order_refunded', 'refund', 'Refund'
);
