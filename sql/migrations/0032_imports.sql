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
