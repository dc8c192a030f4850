-- Rollups by hour and by day, written with the events. Hours and days are those of the site's own timezone.

create table event_hours (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    hour       timestamptz,
    events     bigint not null,
    anonymous  bigint not null default 0,   -- those that name no user
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

-- Who was there. Bit i of chunk c is the user numbered 8192 * c + i. Unique users of any range are the bits set in the
-- union of its rows: exact, and a few kilobytes to read. The day comes before the event type in the key because most
-- questions are about some days and all types.
create table user_days (
    site_id    varchar(255) collate "C",
    day        date,
    event_type varchar(100) collate "C",
    chunk      integer,
    users      bit(8192) not null,
    primary key (site_id, day, event_type, chunk)
);
alter table user_days alter users set storage main;
