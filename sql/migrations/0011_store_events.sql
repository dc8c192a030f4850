-- Storing events, anew: sites are locked only once the events are in their table, so that half of a flush need not wait
-- for another one; and events of a time that the sessions have covered already are added to them.

-- How many events of a batch arrived for a site on a day (UTC), new or not.
create type received_day as (
    site_id varchar(255) collate "C",
    day     date,
    events  bigint
);

-- Store a batch of events: those that are new are inserted, and every rollup and the count of what became of them is
-- computed from those rows only, so that an event sent twice counts once.
--
-- batch: a JSON array of events as the queue carries them. Returns how many it held and how many of them were new.
create or replace function store_events(batch jsonb, out received bigint, out stored bigint)
language plpgsql
as $$
declare
    given_days received_day[];
    fresh fresh_event[];
    late record;
begin
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
    inserted as (
        insert into events (site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at)
        select site_id, event_id, event_type, path, user_id, "timestamp", received_at, properties, now()
        from given
        -- In order of the key, so that those who store the same events wait for each other and do not deadlock.
        order by site_id, event_id, "timestamp"
        on conflict do nothing
        returning site_id, event_type, path, user_id, event_time, received_at
    )
    select
        (
            select array_agg((d.site_id, d.day, d.events)::received_day)
            from (
                select site_id, (received_at at time zone 'UTC')::date as day, count(*) as events
                from given
                group by 1, 2
            ) d
        ),
        (
            select array_agg((i.site_id, i.event_type, i.path, i.user_id, i.event_time, i.received_at)::fresh_event)
            from inserted i
        )
    into given_days, fresh;

    perform lock_sites(array(select distinct d.site_id from unnest(given_days) d));

    with settled as (
        insert into settled_days (site_id, day, stored, duplicates)
        select d.site_id, d.day, coalesce(f.events, 0), d.events - coalesce(f.events, 0)
        from unnest(given_days) d
        left join (
            select site_id, (received_at at time zone 'UTC')::date as day, count(*) as events
            from unnest(fresh)
            group by 1, 2
        ) f on f.site_id = d.site_id and f.day = d.day
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
        from unnest(fresh) f
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
    select jsonb_array_length(batch), coalesce(cardinality(fresh), 0) into received, stored;

    for late in
        select f.site_id, array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where f.event_time < s.sessions_until
        group by f.site_id
    loop
        perform add_to_sessions(late.site_id, 'infinity', 'infinity', late.events);
    end loop;
end
$$;
