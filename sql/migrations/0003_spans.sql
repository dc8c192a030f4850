-- Rollups by month, by five-day span and of all time, so that a report of a month or a year need not add up each day.
-- They are deferred: made from the rollups by day, so that storing an event costs no more. Each has the days before its
-- watermark (in sites), which maintenance advances. An event that is stored later for an earlier day is added at once,
-- and a report takes days outside of whole spans from the rollups by day. So they are exact too, and stay when events
-- expire.
--
-- A span is a month, or one of its six five-day spans: from the 1st, 6th, 11th, 16th, 21st and 26th; the last one ends
-- with the month.

create table path_spans (
    site_id    varchar(255) collate "C",
    first_day  date,
    end_day    date,                        -- the day after the last
    event_type varchar(100) collate "C",
    path       text collate "C",
    events     bigint not null,
    primary key (site_id, first_day, end_day, event_type, path)
);

-- Totals of all days before sites.path_spans_until. They are advanced and corrected with path_spans; a report adds the
-- later days.
create table path_totals (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    path       text collate "C",
    events     bigint not null,
    primary key (site_id, event_type, path)
);

-- Totals of the hours of event_hours that begin before that day.
create table event_totals (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    events     bigint not null,
    anonymous  bigint not null,
    first_hour timestamptz not null,
    last_hour  timestamptz not null,
    primary key (site_id, event_type)
);

-- Unions of the bitmaps of user_days. Here each day is a span too.
create table user_spans (
    site_id    varchar(255) collate "C",
    first_day  date,
    end_day    date,                        -- the day after the last
    event_type varchar(100) collate "C",    -- empty: any event type; single days have only this
    chunk      integer,
    users      bit(8192) not null,
    counted    integer generated always as (bit_count(users)) stored, -- for daily series, which need no union
    primary key (site_id, first_day, end_day, event_type, chunk)
);
alter table user_spans alter users set storage main;

-- The paths with the most events of each past day, in one row: the breakdown of a day, the most frequent request, reads
-- it instead of thousands of rows of path_days. Each day before sites.top_paths_until that has events has a row. A late
-- event marks the row of its day as outdated, and maintenance writes it again.
create table top_paths (
    site_id     varchar(255) collate "C",
    day         date,
    events      bigint not null,   -- of all paths
    paths       bigint not null,   -- number of all paths
    top_paths   text[] not null,   -- the thousand paths with the most events; ties by path
    top_events  bigint[] not null, -- the events of each of them
    outdated    boolean not null default false,
    primary key (site_id, day)
);
create index top_paths_outdated on top_paths (site_id, day) where outdated;

-- A row of top_paths.
create type top_day as (
    day        date,
    events     bigint,
    paths      bigint,
    top_paths  text[],
    top_events bigint[]
);
