-- Does an event of this type put something into a cart? The same list: CARTS in db/reports/sales/products.py.
create or replace function is_cart(event_type varchar) returns boolean
language sql immutable parallel safe
return event_type collate "C" in (
    'Product Added', 'product_added', 'add_to_cart', 'AddToCart', 'product_added_to_cart'
);
