-- The tables. Every one begins with site_id: each question is about one site, and a site can live on one node.
-- Text is compared byte by byte (collate "C"): faster, and an index never depends on the system's locale.

create table sites (
    site_id    varchar(255) collate "C" primary key,
    timezone   text not null default 'UTC',   -- decides where this site's days begin
    users      integer not null default 0,    -- how many users are numbered, so the next user_no
    created_at timestamptz not null default now()
);

-- One row an event. The key tells a resend from a new event; event_time is in it because it partitions the table.
create table events (
    site_id     varchar(255) collate "C" not null,
    event_id    uuid not null,
    event_type  varchar(100) collate "C" not null,
    path        text collate "C" not null,
    user_id     varchar(255) collate "C",
    event_time  timestamptz not null,
    received_at timestamptz not null,
    properties  jsonb,
    primary key (site_id, event_id, event_time)
) partition by range (event_time);

create index events_site_time on events (site_id, event_time);
create index events_site_path on events (site_id, path);
create index events_site_user on events (site_id, user_id);

-- Each site numbers its users from 0 as it first sees them: the number is the user's bit in user_days.
create table users (
    site_id    varchar(255) collate "C",
    user_id    varchar(255) collate "C",
    user_no    integer not null,
    first_seen timestamptz not null,
    primary key (site_id, user_id)
);

-- Rollups: events by hour and by path. An hour and a day are those of the site's own timezone.
create table event_hours (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    hour       timestamptz,
    events     bigint not null,
    primary key (site_id, event_type, hour)
);

create table path_days (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    day        date,
    path       text collate "C",
    events     bigint not null,
    primary key (site_id, event_type, day, path)
);

-- Rollup: who was there. Bit i of chunk c is the user numbered 8192 * c + i. Unique users of any range are
-- the bits set in the union of its rows: exact, and a few kilobytes to read. The day comes before the event type
-- in the key because most questions are about some days and all types.
create table user_days (
    site_id    varchar(255) collate "C",
    day        date,
    event_type varchar(100) collate "C",
    chunk      integer,
    users      bit(8192) not null,
    primary key (site_id, day, event_type, chunk)
);
alter table user_days alter users set storage main;
