-- Who may do what. Secrets are random and long, so that their SHA-256 suffices: the secrets themselves are not stored.

-- Keys of programs and people, and of share links.
create table keys (
    id           uuid primary key,
    hash         bytea not null unique,
    prefix       text not null,                 -- its first characters, by which people recognize it
    name         text not null,
    scopes       text[] not null,
    sites        text[],                        -- null: all sites, also those to come
    share        boolean not null default false,
    password     text,                          -- of a share link: as scrypt's salt and hash
    created_by   text not null,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz,                   -- null: never
    last_used_at timestamptz,                   -- within an hour
    revoked_at   timestamptz
);

-- Browsers that are logged in with a key.
create table logins (
    hash       bytea primary key,
    key_id     uuid not null references keys on delete cascade,
    created_at timestamptz not null default now(),
    seen_at    timestamptz not null default now(),  -- within an hour
    ends_at    timestamptz not null
);
create index logins_key on logins (key_id);

-- Who made and revoked keys, exported and erased people, replayed and deleted.
create table audit (
    id      bigint generated always as identity primary key,
    at      timestamptz not null default now(),
    actor   text not null,                      -- the name and id of a key, or the command line
    action  text not null,
    details jsonb not null default '{}'
);
