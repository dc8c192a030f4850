-- Sessions: a user's events up to a silence of 30 minutes or more. A deferred rollup, as most sessions would be written
-- once a flush otherwise: it has the events before sites.sessions_until. A report adds the events from then on itself
-- (joined_sessions). It stays when events expire.

create table sessions (
    site_id    varchar(255) collate "C",
    user_id    varchar(255) collate "C",
    began      timestamptz,
    ended      timestamptz not null,           -- the time of the last event
    entry_page text collate "C" not null,      -- the path of the first event, and of the last one; of those of the
    exit_page  text collate "C" not null,      -- same instant, the path that comes first, or last
    events     integer not null,
    views      integer not null,               -- the events of type page_view
    -- With its end, so that the session that an event belongs to is found without reading the table.
    primary key (site_id, user_id, began) include (ended)
);
create index sessions_began on sessions (site_id, began);
-- The sessions of some length, for the median; by days (of UTC, as an index does not know the site's) so that those of a
-- time are added in one place.
create index sessions_length
    on sessions (site_id, ((began at time zone 'UTC')::date), (floor(date_part('epoch', ended - began))::integer))
    include (began, ended);
-- The few that may have begun long before the range that they reach into.
create index sessions_long on sessions (site_id, ended) where ended - began > interval '2 hours';
-- How many sessions are long? Without it the planner takes a third of them for long, and reads them all.
create statistics sessions_duration on (ended - began) from sessions;

-- Sums of them by the day of the site that they begin on, so that a report of days need not read each session. All that
-- writes sessions does so by replace_sessions, which keeps the sums.
--
-- A row whose sessions have all become others stays with zeros, which is as good as no row.
create table session_days (
    site_id  varchar(255) collate "C",
    day      date,
    seconds  integer,           -- from the first to the last event of a session, rounded down
    sessions integer not null,
    bounces  integer not null,  -- sessions of a single event
    views    integer not null,
    length   interval not null, -- of all these sessions together
    primary key (site_id, day, seconds)
);

create table session_page_days (
    site_id varchar(255) collate "C",
    day     date,
    path    text collate "C",
    entries integer not null,   -- sessions that begin at it, and that end at it
    exits   integer not null,
    primary key (site_id, day, path)
);
