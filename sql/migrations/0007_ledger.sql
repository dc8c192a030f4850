-- The ledger: what became of each message and each event. A message is processed in the transaction that stores its events
-- and files those that cannot be stored, so that a message delivered again changes nothing, not even a count.

-- The messages whose events are stored or filed. They are forgotten some days later: until then Redis has dropped them.
create table settled_messages (
    message_id uuid primary key,
    settled_at timestamptz not null default now()
);
create index settled_messages_settled_at on settled_messages using brin (settled_at);

-- What became of the events that arrived on a day (UTC): written by the transactions that decide it.
create table settled_days (
    site_id    varchar(255) collate "C",
    day        date,
    stored     bigint not null default 0,
    duplicates bigint not null default 0,
    dead       bigint not null default 0,
    primary key (site_id, day)
);

-- How many events were accepted on a day (UTC), as counted by each Redis that took them (source), up to counted_at.
-- The source 'replay' has those that entered otherwise: replayed from a dead letter that counts for another site or day.
create table accepted_days (
    site_id    varchar(255) collate "C",
    day        date,
    source     text,
    events     bigint not null,
    counted_at timestamptz not null default now(),
    primary key (site_id, day, source)
);

-- Events and messages that could not be stored: kept until somebody replays or discards them.
create table dead_letters (
    id         uuid primary key,
    state      text not null default 'dead' check (state in ('dead', 'stored', 'duplicate', 'discarded')),
    site_id    varchar(255) collate "C",    -- null where the payload does not tell, as are the next three
    event_id   uuid,
    event_type varchar(100) collate "C",
    received_at timestamptz,
    queue      text not null,
    message_id uuid,
    payload    bytea not null,              -- exactly as it was in the queue
    error      text not null,
    sqlstate   text,
    attempts   integer not null default 1,
    failed_at  timestamptz not null default now(),
    changed_by uuid,                        -- the last request to replay or discard it
    changed_at timestamptz
);
create index dead_letters_failed on dead_letters (failed_at, id);
create index dead_letters_event on dead_letters (site_id, event_id);

-- Imports of files, remembered so that one can be taken back. An event that an import brought has its id as the property
-- import_id: that costs the live events nothing, and an event that was there before stays the earlier import's, or nobody's.
create table imports (
    site_id    varchar(255) collate "C",
    import_id  text collate "C",
    files      jsonb not null,                 -- of each its name, rows and SHA-256
    options    jsonb not null,                 -- the command's, as it was given them
    began_at   timestamptz not null,
    ended_at   timestamptz,                    -- null: it runs, or was killed
    rows       bigint not null,                -- read
    sent       bigint not null,                -- taken by ingestion, new or not
    first_time timestamptz,                    -- of the events that were sent
    last_time  timestamptz,
    messages   uuid[] not null,                -- in which they were queued
    undone_at  timestamptz,
    primary key (site_id, import_id)
);
