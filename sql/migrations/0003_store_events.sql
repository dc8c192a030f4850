-- Store a batch: one call is one statement, one transaction. Events that are new are inserted, and every rollup is
-- computed from those rows only, so that an event sent or delivered twice counts once.
--
-- batch: a JSON array of events as the queue carries them. Returns how many it held and how many of them were new.
create function store_events(batch jsonb, out received bigint, out stored bigint)
language plpgsql
as $$
declare
    site varchar(255);
begin
    -- The sites are made and locked one by one in order: writers on the same sites queue up instead of meeting in a
    -- deadlock, and what follows sees what the writer before has committed.
    for site in
        select distinct e.site_id
        from jsonb_to_recordset(batch) e (site_id varchar(255) collate "C")
        order by 1
    loop
        insert into sites (site_id) values (site)
        on conflict (site_id) do update set users = sites.users;
    end loop;

    with fresh as (
        insert into events (site_id, event_id, event_type, path, user_id, event_time, received_at, properties)
        select e.site_id, e.event_id, e.event_type, e.path, e.user_id, e."timestamp", e.received_at, e.properties
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
        on conflict do nothing
        returning site_id, event_type, path, user_id, event_time
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
        insert into event_hours (site_id, event_type, hour, events)
        select site_id, event_type, hour, count(*)
        from placed
        group by site_id, event_type, hour
        on conflict (site_id, event_type, hour) do update set events = event_hours.events + excluded.events
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
