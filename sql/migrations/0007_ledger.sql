-- The ledger: what happened to each message and each event. A message is processed in one transaction, which stores its
-- events and dead-letters those that cannot be stored, so that a message that is delivered again changes nothing, not
-- even a count. "Settled" in names means processed.

-- Processed messages: their events are stored or dead letters. Rows are deleted some days later, when Redis has long
-- dropped the messages.
create table settled_messages (
    message_id uuid primary key,
    settled_at timestamptz not null default now()
);
create index settled_messages_settled_at on settled_messages using brin (settled_at);

-- The outcomes of the events that arrived on a day (UTC), written by the transactions that decide them.
create table settled_days (
    site_id    varchar(255) collate "C",
    day        date,
    stored     bigint not null default 0,
    duplicates bigint not null default 0,
    dead       bigint not null default 0,
    primary key (site_id, day)
);

-- How many events were accepted on a day (UTC), as counted by each Redis (source) up to counted_at. The source 'replay'
-- has events that were replayed from a dead letter that counts for another site or day.
create table accepted_days (
    site_id    varchar(255) collate "C",
    day        date,
    source     text,
    events     bigint not null,
    counted_at timestamptz not null default now(),
    primary key (site_id, day, source)
);

-- Events and messages that could not be stored. They can be replayed or discarded.
create table dead_letters (
    id         uuid primary key,
    state      text not null default 'dead' check (state in ('dead', 'stored', 'duplicate', 'discarded')),
    site_id    varchar(255) collate "C",    -- null if the payload does not have it, as are the next three
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

-- Imports of files, recorded so that an import can be undone. An imported event has the import's id as the property
-- import_id: this costs live events nothing, and an event that was stored before keeps its earlier import, or none.
create table imports (
    site_id    varchar(255) collate "C",
    import_id  text collate "C",
    files      jsonb not null,                 -- of each file: name, rows and SHA-256
    options    jsonb not null,                 -- the options of the command
    began_at   timestamptz not null,
    ended_at   timestamptz,                    -- null: still running, or killed
    rows       bigint not null,                -- rows read
    sent       bigint not null,                -- events accepted by ingestion, new or not
    first_time timestamptz,                    -- time range of the events that were sent
    last_time  timestamptz,
    messages   uuid[] not null,                -- the messages in which they were queued
    undone_at  timestamptz,
    primary key (site_id, import_id)
);
