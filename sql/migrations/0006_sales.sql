-- Rollups of orders and refunds, for GET /revenue with the event types that it takes for them unless told others. They are
-- written with the events, and stay when these expire.

-- Of each order that has an id, the event that counts: the first that can be counted, by event_time and event_id.
create table orders (
    site_id    varchar(255) collate "C",
    order_key  text collate "C",               -- its id, see index_key
    event_time timestamptz not null,
    event_id   uuid not null,
    primary key (site_id, order_key)
);

-- What became of the orders and refunds of a day, and of the products in the orders that count.
create table sale_days (
    site_id  varchar(255) collate "C",
    day      date,
    what     text collate "C",                 -- order, refund or product
    outcome  text collate "C",                 -- counted, repeated, or why it was not counted
    currency text collate "C",                 -- empty unless counted
    events   bigint not null,                  -- of products, entries; those that were counted are in product_days
    amount   numeric not null,                 -- of what was counted; of refunds without the minus
    primary key (site_id, day, what, outcome, currency)
);

-- The products of a day's orders. A product that has several names has several rows; an order is in one of them.
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

-- An order or a refund that is new.
create type new_sale as (
    site_id    varchar(255) collate "C",
    event_id   uuid,
    event_time timestamptz,
    event_type varchar(100) collate "C",
    properties jsonb
);

-- What becomes of one. times: how often it is to be counted as that: once, or -1 times for what is taken back.
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
