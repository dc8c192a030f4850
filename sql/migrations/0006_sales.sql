-- Rollups of orders and refunds, for GET /revenue with its default event types. They are written in the transaction
-- that stores the events, and stay when events expire.

-- For each order with an id, the event that counts: the first one, by event_time and event_id, that can be counted.
create table orders (
    site_id    varchar(255) collate "C",
    order_key  text collate "C",               -- the order's id, see index_key
    event_time timestamptz not null,
    event_id   uuid not null,
    primary key (site_id, order_key)
);

-- The outcomes of a day's orders and refunds, and of the products in the orders that count.
create table sale_days (
    site_id  varchar(255) collate "C",
    day      date,
    what     text collate "C",                 -- order, refund or product
    outcome  text collate "C",                 -- counted, repeated, or why it was not counted
    currency text collate "C",                 -- empty unless counted
    events   bigint not null,                  -- for products: entries; counted ones are in product_days
    amount   numeric not null,                 -- sum of what was counted; positive for refunds
    primary key (site_id, day, what, outcome, currency)
);

-- The products of a day's orders. A product with several names has several rows; an order counts in one of them.
create table product_days (
    site_id     varchar(255) collate "C",
    day         date,
    currency    text collate "C",
    product_key text collate "C",              -- product and name, see index_key
    product     text collate "C" not null,
    name        text collate "C",
    orders      bigint not null,
    quantity    numeric not null,
    revenue     numeric not null,
    primary key (site_id, day, currency, product_key)
);

-- A new order or refund.
create type new_sale as (
    site_id    varchar(255) collate "C",
    event_id   uuid,
    event_time timestamptz,
    event_type varchar(100) collate "C",
    properties jsonb
);

-- A classified order or refund. times: 1 to count it, -1 to reverse an earlier count.
create type judged_sale as (
    site_id    varchar(255) collate "C",
    event_id   uuid,
    event_time timestamptz,
    day        date,
    what       text collate "C",
    outcome    text collate "C",
    currency   text collate "C",
    amount     numeric,
    lines      jsonb,
    times      integer
);
