-- What each user did, month by month, packed: for funnels, which would have to read every event of their range otherwise.
-- A deferred rollup: it has the events before sites.user_months_until, and a report adds those from then on itself. Months
-- are those of UTC, as a report cuts them at any moment. They expire with the events.

-- The number of an event type of a site: the byte that stands for it below. There are 252 of them: what comes later has
-- none and is not packed.
create table event_types (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    number     smallint not null,
    primary key (site_id, event_type)
);

create table user_months (
    site_id varchar(255) collate "C",
    month   date,                    -- its first day
    user_id varchar(255) collate "C",
    kinds   bytea not null,          -- of each event in order of time the number of its type, and
    moments timestamptz[] not null,  -- its time; those of one instant are in order of their numbers
    primary key (site_id, month, user_id),
    check (length(kinds) = cardinality(moments))
);
-- Times are hardly compressed, but would have to be decompressed each time.
alter table user_months alter moments set storage external;
