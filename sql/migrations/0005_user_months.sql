-- The events of each user, packed by month: for funnels, which would otherwise have to read every event of their range.
-- A deferred rollup: it has the events before sites.user_months_until, and a report adds the later ones itself. Months
-- are in UTC, as a report can cut them at any moment. The rows expire with the events.

-- The number of an event type of a site: the byte that stands for it in user_months. There are 252 numbers; further
-- event types get none and are not packed.
create table event_types (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    number     smallint not null,
    primary key (site_id, event_type)
);

create table user_months (
    site_id varchar(255) collate "C",
    month   date,                    -- first day of the month
    user_id varchar(255) collate "C",
    kinds   bytea not null,          -- one byte per event, in order of time: the number of its type
    moments timestamptz[] not null,  -- the time of each event; equal times in order of these numbers
    primary key (site_id, month, user_id),
    check (length(kinds) = cardinality(moments))
);
-- Stored uncompressed: times hardly compress, but each read would have to decompress them.
alter table user_months alter moments set storage external;
