-- Sites, events and users. The key of every table that has a site begins with it, or has it: each question is about one
-- site, and a site can live on one node. Text is compared byte by byte (collate "C"): faster, and an index never depends
-- on the system's locale.

-- The names of timezones that PostgreSQL and Python both know. `tjra migrate` fills it, each time, and then has sites
-- refer to it (db/sites/timezones.py).
create table timezones (
    name text collate "C" primary key
);

create table sites (
    site_id    varchar(255) collate "C" primary key,
    timezone   text not null default 'UTC',   -- decides where this site's days begin
    users      integer not null default 0,    -- how many users are numbered, so the next user_no
    created_at timestamptz not null default now(),
    -- Before this moment the site's events are no longer kept, while its rollups keep their numbers; null: all are kept.
    -- Whoever drops events sets it in the same transaction. Days that begin before it are never compared nor rebuilt.
    events_from timestamptz,
    -- The watermarks of the deferred rollups: each has the events before its own. Of path_spans it is the first day of a
    -- five-day span.
    sessions_until timestamptz not null default '-infinity',
    path_spans_until date not null default '-infinity',
    -- From when on orders, sale_days and product_days have all of the site's orders and refunds; null: they have all.
    sales_from timestamptz,
    user_spans_until date not null default '-infinity',
    user_months_until timestamptz not null default '-infinity',
    top_paths_until date not null default '-infinity'
);

-- One row an event. The key tells a resend from a new event; event_time is in it because it partitions the table: weeks
-- (Monday to Monday, UTC), and whole years for what is older than the start of last year (make_partition). So indexes of
-- what is written now stay small, expiry is a drop, and odd dates cannot make a thousand tables.
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
-- A user's events in order, with all that sessions and journeys need, so that they need not read the table. With every text
-- as long as it may be, an entry has 2,696 of the 2,704 bytes that PostgreSQL allows: nothing can be added.
create index events_site_user_time on events (site_id, user_id, event_time, path) include (event_type);
-- Orders and refunds are few among the events: those of the types that GET /revenue takes for them unless told others.
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

-- From which day on can a site's rollups be recounted? Null: all days.
create view kept_days as
select site_id, timezone, (events_from at time zone timezone - interval '1 microsecond')::date + 1 as first_kept
from sites;

-- Each site numbers its users from 0 as it first sees them: the number is the user's bit in user_days.
create table users (
    site_id    varchar(255) collate "C",
    user_id    varchar(255) collate "C",
    user_no    integer not null,
    first_seen timestamptz not null,
    primary key (site_id, user_id)
);

-- The ids that clients made and that were stored in the last eight days: an id counts once, whatever else the event says.
-- Ids that ingestion made are not here, as nobody else has them; unless a client took one from our response: `made` says
-- of a client's id that it has the form of ours (made_id in db/events/event.py). Compared by the id first, that is quicker.
create table event_ids (
    site_id  varchar(255) collate "C",
    event_id uuid,
    seen_at  timestamptz not null,
    made     boolean not null,
    primary key (event_id, site_id)
);
create index event_ids_seen_at on event_ids using brin (seen_at);
create index event_ids_made on event_ids (site_id) where made;

-- Expiry (RETENTION_DAYS): one row, once anything expired. Before events_from events are no longer kept, as announced at
-- said_at; before dropped_until partitions may be gone for good, and what was announced beyond it can be taken back. Some
-- minutes lie between announcing and dropping, for those who still count on the events. A moment is always where a
-- partition ends: all is dropped before it, and nothing after it.
create table kept_events (
    only_row      boolean primary key default true check (only_row),
    events_from   timestamptz not null,
    said_at       timestamptz not null,
    dropped_until timestamptz
);

-- What the rollups need to know of an event that is new.
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
