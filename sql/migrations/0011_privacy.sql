-- Erasing people: their number stays, nameless, so that all counts stay what they were.

-- The key of the site's hashes of people (HMAC-SHA-256; its inner and its outer block of 64 bytes). Made at the first
-- erasure or export.
alter table sites add column person_key bytea;

-- Receipts of erasures. They have no id of the person once they are done.
create table erasures (
    site_id     varchar(255) collate "C",
    erasure_id  uuid,
    person      bytea not null,                -- the hash of the person, see person_hash
    user_id     varchar(255) collate "C",      -- whom to erase; null once that is done
    asked_at    timestamptz not null default now(),
    asked_by    text not null,
    begun_at    timestamptz,
    done_at     timestamptz,
    erased      jsonb not null default '{}',   -- rows by table, and the events that were caught since then
    holds_until timestamptz,                   -- until when events that were accepted before it are caught
    vacuumed_at timestamptz,
    redis_rewritten_at timestamptz,            -- when Redis was last asked to rewrite its files
    check (done_at is null or user_id is null),
    primary key (site_id, erasure_id)
);
create index erasures_unfinished on erasures (asked_at) where done_at is null or vacuumed_at is null;

-- Whom the store catches: events of these people that were accepted before erased_at, and were still in the queue then,
-- are stored under the pseudonym. On Citus each node has all rows, so that it costs nothing to see that there are none.
create table erased_people (
    person     bytea primary key,              -- hashes of two sites differ, as their keys do
    site_id    varchar(255) collate "C" not null,
    erasure_id uuid not null,
    pseudonym  text collate "C" not null,
    erased_at  timestamptz not null,
    ends_at    timestamptz not null
);

-- What an erasure has to find: the spellings of a person's id, and the pseudonym in its place.
create type person_traces as (
    user_id    text collate "C",
    pseudonym  text collate "C",
    distinct_id boolean,                       -- whether the id is so long that no other text has it by chance
    spellings  text[],                         -- as it is, and as it is written in addresses
    in_path    text,                           -- regular expressions: as a whole part of an address,
    in_text    text,                           -- and as whole words
    orders     text[]                          -- ids of orders that contain it
);

-- How many events of a batch were of an erased person.
create type erased_events as (
    site_id    varchar(255) collate "C",
    erasure_id uuid,
    events     bigint
);
