-- Settling: what became of each message and each event. A message is settled in the transaction that stores its events
-- and files those that cannot be stored, so that a message delivered again changes nothing, not even a count.

alter table events add column stored_at timestamptz not null default now();

-- How many of an hour's events name no user: every report that counts users tells them apart.
alter table event_hours add column anonymous bigint not null default 0;
update event_hours h
set anonymous = a.events
from (
    select e.site_id, e.event_type, date_trunc('hour', e.event_time, s.timezone) as hour, count(*) as events
    from events e
    join sites s on s.site_id = e.site_id
    where e.user_id is null
    group by 1, 2, 3
) a
where h.site_id = a.site_id and h.event_type = a.event_type and h.hour = a.hour;

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

-- Make these sites and lock them one by one in order: writers on the same sites queue up instead of meeting in a
-- deadlock, and what follows sees what the writer before has committed.
create function lock_sites(sites text[]) returns void
language plpgsql
as $$
declare
    site varchar(255);
begin
    for site in
        select distinct site_id collate "C"
        from unnest(sites) site_id
        order by 1
    loop
        insert into sites (site_id) values (site)
        on conflict (site_id) do update set users = sites.users;
    end loop;
end
$$;

-- Store a batch of events: those that are new are inserted, and every rollup and the count of what became of them is
-- computed from those rows only, so that an event sent twice counts once.
--
-- batch: a JSON array of events as the queue carries them. Returns how many it held and how many of them were new.
create or replace function store_events(batch jsonb, out received bigint, out stored bigint)
language plpgsql
as $$
begin
    perform lock_sites(array(select distinct e.site_id from jsonb_to_recordset(batch) e (site_id text)));

    with given as materialized (
        select *
        from jsonb_to_recordset(batch) e (
            site_id     varchar(255) collate "C",
            event_id    uuid,
            event_type  varchar(100) collate "C",
            path        text collate "C",
            user_id     varchar(255) collate "C",
            "timestamp" timestamptz,
            received_at timestamptz,
            properties  jsonb
        )
    ),
    fresh as (
        insert into events (site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at)
        select site_id, event_id, event_type, path, user_id, "timestamp", received_at, properties, now()
        from given
        on conflict do nothing
        returning site_id, event_type, path, user_id, event_time, received_at
    ),
    settled as (
        insert into settled_days (site_id, day, stored, duplicates)
        select
            site_id,
            (received_at at time zone 'UTC')::date,
            count(*) filter (where is_new),
            count(*) filter (where not is_new) - count(*) filter (where is_new)
        from (
            select site_id, received_at, false as is_new from given
            union all
            select site_id, received_at, true from fresh
        ) both_ways
        group by 1, 2
        on conflict (site_id, day) do update set
            stored = settled_days.stored + excluded.stored,
            duplicates = settled_days.duplicates + excluded.duplicates
    ),
    placed as materialized (
        select
            f.*,
            date_trunc('hour', f.event_time, s.timezone) as hour,
            (f.event_time at time zone s.timezone)::date as day,
            s.users as next_no
        from fresh f
        join sites s on s.site_id = f.site_id
    ),
    seen as materialized (
        select site_id, user_id, next_no, min(event_time) as first_seen
        from placed
        where user_id is not null
        group by site_id, user_id, next_no
    ),
    -- An inner join on purpose: Citus ships it to the shards, where a left join would fetch the whole table.
    known as materialized (
        select u.site_id, u.user_id, u.user_no
        from users u
        join seen on seen.site_id = u.site_id and seen.user_id = u.user_id
    ),
    numbered as materialized (
        select
            seen.site_id,
            seen.user_id,
            seen.first_seen,
            known.user_no is null as is_new,
            coalesce(
                known.user_no,
                seen.next_no - 1 + row_number() over (partition by seen.site_id, known.user_no is null order by seen.user_id)
            )::integer as user_no
        from seen
        left join known on known.site_id = seen.site_id and known.user_id = seen.user_id
    ),
    new_users as (
        insert into users (site_id, user_id, user_no, first_seen)
        select site_id, user_id, user_no, first_seen
        from numbered
        where is_new
    ),
    counters as (
        update sites s
        set users = s.users + n.new_users
        from (select site_id, count(*) as new_users from numbered where is_new group by site_id) n
        where s.site_id = n.site_id
    ),
    hours as (
        insert into event_hours (site_id, event_type, hour, events, anonymous)
        select site_id, event_type, hour, count(*), count(*) - count(user_id)
        from placed
        group by site_id, event_type, hour
        on conflict (site_id, event_type, hour) do update set
            events = event_hours.events + excluded.events,
            anonymous = event_hours.anonymous + excluded.anonymous
    ),
    paths as (
        insert into path_days (site_id, event_type, day, path, events)
        select site_id, event_type, day, path, count(*)
        from placed
        group by site_id, event_type, day, path
        on conflict (site_id, event_type, day, path) do update set events = path_days.events + excluded.events
    ),
    days as (
        insert into user_days (site_id, day, event_type, chunk, users)
        select
            p.site_id, p.day, p.event_type, n.user_no / 8192,
            bit_or(set_bit(repeat('0', 8192)::bit(8192), n.user_no % 8192, 1))
        from (select distinct site_id, day, event_type, user_id from placed where user_id is not null) p
        join numbered n on n.site_id = p.site_id and n.user_id = p.user_id
        group by p.site_id, p.day, p.event_type, n.user_no / 8192
        on conflict (site_id, day, event_type, chunk) do update set users = user_days.users | excluded.users
    )
    select jsonb_array_length(batch), count(*) into received, stored from fresh;
end
$$;

-- Store the events of some messages, unless one of them is settled already: then this is a unique violation.
-- ids: the messages' ids; batch: all their events in one JSON array. Returns what store_events does.
create function store_messages(ids uuid[], batch jsonb, out received bigint, out stored bigint)
language plpgsql
as $$
begin
    insert into settled_messages (message_id)
    select id
    from unnest(ids) id
    order by id;

    select s.received, s.stored into received, stored
    from store_events(batch) s;
end
$$;
