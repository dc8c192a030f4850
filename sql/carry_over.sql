-- Carries the last schema before version 0.1.0 over to the tables of the migrations, instead of them. See
-- db/migrations.py.

-- The key of event_ids has the id first.
alter table event_ids drop constraint event_ids_pkey;
alter table event_ids add constraint event_ids_pkey primary key (event_id, site_id);

create table imports (
    site_id    varchar(255) collate "C",
    import_id  text collate "C",
    files      jsonb not null,
    options    jsonb not null,
    began_at   timestamptz not null,
    ended_at   timestamptz,
    rows       bigint not null,
    sent       bigint not null,
    first_time timestamptz,
    last_time  timestamptz,
    messages   uuid[] not null,
    undone_at  timestamptz,
    primary key (site_id, import_id)
);
