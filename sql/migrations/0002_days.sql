-- Rollups by hour and by day, written in the transaction that stores the events. Hours and days are in the site's
-- timezone.

create table event_hours (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    hour       timestamptz,
    events     bigint not null,
    anonymous  bigint not null default 0,   -- events without a user
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

-- Bitmaps of the users with events. Bit i of chunk c is the user with number 8192 * c + i. The unique users of any
-- range are the bits set in the union of its rows: exact, and a few kilobytes to read. The day comes before the event
-- type in the key because most queries are about some days and all types.
create table user_days (
    site_id    varchar(255) collate "C",
    day        date,
    event_type varchar(100) collate "C",
    chunk      integer,
    users      bit(8192) not null,
    primary key (site_id, day, event_type, chunk)
);
alter table user_days alter users set storage main;
