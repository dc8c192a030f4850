-- Sites, events and users. The key of every table with a site contains site_id, mostly first: every query is about one
-- site, and a site can live on one node. Text is compared byte by byte (collate "C"): this is faster, and no index
-- depends on the system's locale.

-- The names of timezones that PostgreSQL and Python both know. `tjra migrate` refreshes it each time and then adds a
-- foreign key from sites (db/sites/timezones.py).
create table timezones (
    name text collate "C" primary key
);

create table sites (
    site_id    varchar(255) collate "C" primary key,
    timezone   text not null default 'UTC',   -- decides when this site's days begin
    users      integer not null default 0,    -- number of numbered users, and so the next user_no
    created_at timestamptz not null default now(),
    -- The site's events before this moment have expired; its rollups keep their counts. Null: nothing has expired.
    -- A transaction that drops events sets it first. Days that begin before it are never compared or rebuilt.
    events_from timestamptz,
    -- The watermarks of the deferred rollups: each rollup has the events before its own. That of path_spans is the
    -- first day of a five-day span.
    sessions_until timestamptz not null default '-infinity',
    path_spans_until date not null default '-infinity',
    -- orders, sale_days and product_days have all of the site's orders and refunds from this moment on; null: all ever.
    sales_from timestamptz,
    user_spans_until date not null default '-infinity',
    user_months_until timestamptz not null default '-infinity',
    top_paths_until date not null default '-infinity'
);

-- One row per event. The key tells a resend from a new event; it contains event_time because that partitions the table:
-- by week (Monday to Monday, UTC), and by year for events older than the start of last year (make_partition). So the
-- indexes in use stay small, expiry is a `drop table`, and odd dates cannot create a thousand tables.
create table events (
    site_id     varchar(255) collate "C" not null,
    event_id    uuid not null,
    event_type  varchar(100) collate "C" not null,
    path        text collate "C" not null,
    user_id     varchar(255) collate "C",
    event_time  timestamptz not null,
    received_at timestamptz not null,
    properties  jsonb,
    stored_at   timestamptz not null default now(),
    primary key (site_id, event_id, event_time)
) partition by range (event_time);

create index events_site_time on events (site_id, event_time);
create index events_site_path on events (site_id, path);
-- A user's events in order, with all columns that sessions and journeys need: an index-only scan serves them. With
-- texts of maximum length an entry has 2,696 of the 2,704 bytes that PostgreSQL allows: no column can be added.
create index events_site_user_time on events (site_id, user_id, event_time, path) include (event_type);
-- Orders and refunds are a small part of the events. The event types are the defaults of GET /revenue.
create index events_sales on events (site_id, event_time)
where event_type in (
    'Order Completed', 'order_completed', 'purchase', 'Purchase', 'checkout_completed',
    'Order Refunded', 'order_refunded', 'refund', 'Refund'
);

create view event_partitions as
select
    part.relname as name,
    bounds[1]::timestamptz as starts,
    bounds[2]::timestamptz as ends
from pg_inherits
join pg_class part on part.oid = inhrelid
cross join regexp_match(pg_get_expr(part.relpartbound, part.oid), $$FROM \('(.+)'\) TO \('(.+)'\)$$) bounds
where inhparent = 'events'::regclass;

-- The first day on which a site's rollups can be recounted, because none of its events has expired; null: all days.
create view kept_days as
select site_id, timezone, (events_from at time zone timezone - interval '1 microsecond')::date + 1 as first_kept
from sites;

-- Each site numbers its users from 0 in order of appearance: the number is the user's bit in user_days.
create table users (
    site_id    varchar(255) collate "C",
    user_id    varchar(255) collate "C",
    user_no    integer not null,
    first_seen timestamptz not null,
    primary key (site_id, user_id)
);

-- Ids made by clients, stored in the last eight days: an id counts once, even if the rest of the event differs. Ids
-- made by ingestion are not here, as only ingestion has them, unless a client took one from our response. `made`: the
-- client's id has the form of ours (made_id in db/events/event.py). The key begins with the id, which is faster to
-- compare.
create table event_ids (
    site_id  varchar(255) collate "C",
    event_id uuid,
    seen_at  timestamptz not null,
    made     boolean not null,
    primary key (event_id, site_id)
);
create index event_ids_seen_at on event_ids using brin (seen_at);
create index event_ids_made on event_ids (site_id) where made;

-- Expiry (RETENTION_DAYS): one row once anything has expired. Events before events_from have expired, as announced at
-- said_at. Partitions before dropped_until may be gone; an announcement beyond it can be taken back. Dropping begins
-- some minutes after the announcement, for transactions that still rely on the events. Both moments are always the end
-- of a partition.
create table kept_events (
    only_row      boolean primary key default true check (only_row),
    events_from   timestamptz not null,
    said_at       timestamptz not null,
    dropped_until timestamptz
);

-- The columns of a new event that the rollups need.
create type fresh_event as (
    site_id     varchar(255) collate "C",
    event_type  varchar(100) collate "C",
    path        text collate "C",
    user_id     varchar(255) collate "C",
    event_time  timestamptz,
    received_at timestamptz
);

-- How many events of a batch arrived for a site on a day (UTC), new or not.
create type received_day as (
    site_id varchar(255) collate "C",
    day     date,
    events  bigint
);

create type event_key as (
    site_id  varchar(255) collate "C",
    event_id uuid,
    id_made  boolean
);
