-- Does an event of this type begin to pay? The same list: CHECKOUTS in db/reports/sales/products.py.
create or replace function is_checkout(event_type varchar) returns boolean
language sql immutable parallel safe
return event_type collate "C" in ('Checkout Started', 'checkout_started', 'begin_checkout', 'InitiateCheckout');
