-- Rollups by month and by five days, and of all time, so that a report of a month or a year need not add up each of its
-- days. They are deferred: made from the rollups by day, so that an event costs no more to store. Each has the days before
-- its watermark (sites), which maintenance advances; what is stored after that for an earlier day is added at once, and a
-- report takes what is not in whole spans from the days. So they are as exact, and stay when events expire.
--
-- A span is a month, or one of its sixths: from the 1st, 6th, 11th, 16th, 21st and 26th, the last one to the month's end.

create table path_spans (
    site_id    varchar(255) collate "C",
    first_day  date,
    end_day    date,                        -- the day after the last
    event_type varchar(100) collate "C",
    path       text collate "C",
    events     bigint not null,
    primary key (site_id, first_day, end_day, event_type, path)
);

-- Totals of all days before sites.path_spans_until. They are advanced and corrected with path_spans, and a report adds the
-- days since.
create table path_totals (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    path       text collate "C",
    events     bigint not null,
    primary key (site_id, event_type, path)
);

-- Of the hours of event_hours that begin before that day.
create table event_totals (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    events     bigint not null,
    anonymous  bigint not null,
    first_hour timestamptz not null,
    last_hour  timestamptz not null,
    primary key (site_id, event_type)
);

-- Unions of the bitmaps of user_days. Each day is a span too.
create table user_spans (
    site_id    varchar(255) collate "C",
    first_day  date,
    end_day    date,                        -- the day after the last
    event_type varchar(100) collate "C",    -- empty: whatever they did; of single days there is no other
    chunk      integer,
    users      bit(8192) not null,
    counted    integer generated always as (bit_count(users)) stored, -- for series by day, which add no bitmaps
    primary key (site_id, first_day, end_day, event_type, chunk)
);
alter table user_spans alter users set storage main;

-- The paths with most events of each day that is over, as one row: the breakdown of a day, which is asked for most often,
-- reads it instead of thousands of rows of path_days. Before sites.top_paths_until each day that has events has its row.
-- What comes later for such a day marks its row as outdated, and maintenance writes it again.
create table top_paths (
    site_id     varchar(255) collate "C",
    day         date,
    events      bigint not null,   -- of all paths, and how many these are
    paths       bigint not null,
    top_paths   text[] not null,   -- the thousand that had most events, and how many each of them had; those of the same
    top_events  bigint[] not null, -- number in the order of the paths
    outdated    boolean not null default false,
    primary key (site_id, day)
);
create index top_paths_outdated on top_paths (site_id, day) where outdated;

-- What the row of a day is.
create type top_day as (
    day        date,
    events     bigint,
    paths      bigint,
    top_paths  text[],
    top_events bigint[]
);
