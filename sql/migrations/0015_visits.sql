-- Visits: sessions know what they were sent with and where the visitor came from (those of the first event), what was
-- done in them, and whether they are the person's first; orders know whose visit they are in.

-- What events are sent with, and where visitors come from: each combination once a site, under a number that is a hash of
-- it (known_number). Empty: unknown. A site has so many rows at most (note_known); a number without a row has `(other)`
-- for all of them.
create table agents (
    site_id  varchar(255) collate "C",
    number   bigint,
    country  text collate "C" not null,
    device   text collate "C" not null,
    browser  text collate "C" not null,
    os       text collate "C" not null,
    language text collate "C" not null,
    primary key (site_id, number)
);
create table origins (
    site_id  varchar(255) collate "C",
    number   bigint,
    source   text collate "C" not null,
    medium   text collate "C" not null,
    campaign text collate "C" not null,
    term     text collate "C" not null,
    content  text collate "C" not null,
    referrer text collate "C" not null,
    channel  text collate "C" not null,
    primary key (site_id, number)
);

alter table events
    add column agent_number bigint,   -- null: nothing is known
    add column origin_number bigint;  -- null: from nowhere else

alter table sessions
    -- Those of the first event; of several at that moment, the first by path and by these numbers.
    add column agent_number bigint,
    add column origin_number bigint,
    add column carts integer not null default 0,       -- events that put something into a cart (is_cart)
    add column checkouts integer not null default 0,   -- events that begin to pay (is_checkout)
    add column is_new boolean not null default false;  -- the person's first session; replace_sessions maintains it
update sessions s
set is_new = true
where not exists (
    select 1
    from sessions b
    where b.site_id = s.site_id and b.user_id = s.user_id and b.began < s.began
);

-- The orders that count (judge_sale), each with whom its event is of: they are in that person's visits. They stay when
-- events expire.
create table counted_orders (
    site_id    varchar(255) collate "C",
    event_time timestamptz,
    event_id   uuid,
    user_id    varchar(255) collate "C",        -- null: nobody's
    currency   text collate "C" not null,
    amount     numeric not null,
    primary key (site_id, event_time, event_id)
);
create index counted_orders_user on counted_orders (site_id, user_id, event_time);

alter type new_sale add attribute user_id varchar(255) collate "C";
alter type fresh_event add attribute agent_number bigint, add attribute origin_number bigint;

create type right_counted_order as (
    event_time timestamptz, event_id uuid, user_id varchar(255) collate "C", currency text collate "C", amount numeric,
    is_right boolean                            -- false: the row should not exist
);

-- An agent and an origin of new events, with their numbers and members (known_members).
create type known_pair as (
    agent_number bigint, agent text[] collate "C", origin_number bigint, origin text[] collate "C"
);

-- A visit with orders: how many; and how many in the currency that was asked for, and their sum.
create type visit_orders as (
    user_id varchar(255) collate "C", began timestamptz, entry_page text collate "C", exit_page text collate "C",
    agent_number bigint, origin_number bigint, is_new boolean, orders bigint, paid bigint, revenue numeric
);

-- A person whose sessions change: the begin of the first session that stays, and of the first that is put.
create type first_session as (user_id varchar(255) collate "C", stayed timestamptz, put timestamptz);
