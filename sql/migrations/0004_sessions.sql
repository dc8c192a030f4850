-- Sessions: a user's events up to a gap of 30 minutes or more. A deferred rollup, as otherwise most sessions would be
-- written again with each flush: it has the events before sites.sessions_until. A report adds the later events itself
-- (joined_sessions). Sessions stay when events expire.

create table sessions (
    site_id    varchar(255) collate "C",
    user_id    varchar(255) collate "C",
    began      timestamptz,
    ended      timestamptz not null,           -- the time of the last event
    entry_page text collate "C" not null,      -- path of the first event; of equal timestamps, the first path
    exit_page  text collate "C" not null,      -- path of the last event; of equal timestamps, the last path
    events     integer not null,
    views      integer not null,               -- events of type page_view
    -- Includes the end, so that an event's session is found without reading the table.
    primary key (site_id, user_id, began) include (ended)
);
create index sessions_began on sessions (site_id, began);
-- Sessions by length, for the median. By UTC day (an index does not know the site's days), so that new sessions are
-- added in one place of the index.
create index sessions_length
    on sessions (site_id, ((began at time zone 'UTC')::date), (floor(date_part('epoch', ended - began))::integer))
    include (began, ended);
-- The few sessions that may have begun long before a range that they reach into.
create index sessions_long on sessions (site_id, ended) where ended - began > interval '2 hours';
-- How many sessions are long: without it the planner expects a third of them, and reads them all.
create statistics sessions_duration on (ended - began) from sessions;

-- Sums of sessions by the site's day on which they begin, so that a report of days need not read each session. All
-- writes to sessions go through replace_sessions, which maintains the sums.
--
-- A row whose sessions were all replaced stays with zeros, which equals no row.
create table session_days (
    site_id  varchar(255) collate "C",
    day      date,
    seconds  integer,           -- length of the session from first to last event, rounded down
    sessions integer not null,
    bounces  integer not null,  -- sessions of a single event
    views    integer not null,
    length   interval not null, -- sum over these sessions
    primary key (site_id, day, seconds)
);

create table session_page_days (
    site_id varchar(255) collate "C",
    day     date,
    path    text collate "C",
    entries integer not null,   -- sessions that begin at this page
    exits   integer not null,   -- sessions that end at this page
    primary key (site_id, day, path)
);
