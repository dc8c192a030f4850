-- As before (0015), and late events are added to what users did by months, and outdate the top paths of their day.
--
-- batch: a JSON array of events as the queue carries them. Returns how many it held and how many of them were new.
create or replace function store_events(batch jsonb, out received bigint, out stored bigint)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_mergejoin = off
as $$
declare
    given_days received_day[];
    fresh fresh_event[];
    sales new_sale[];
    some_late boolean;
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
        returning site_id, event_id, event_type, path, user_id, event_time, received_at, properties
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
        ),
        (
            select array_agg((i.site_id, i.event_id, i.event_time, i.event_type, i.properties)::new_sale)
            from inserted i
            where is_sale(i.event_type)
        )
    into given_days, fresh, sales;

    perform lock_sites(array(select distinct d.site_id from unnest(given_days) d));

    with placed as materialized (
        select
            f.*,
            date_trunc('hour', f.event_time, s.timezone) as hour,
            (f.event_time at time zone s.timezone)::date as day,
            s.users as next_no,
            f.event_time < greatest(s.sessions_until, s.user_months_until) or (f.event_time at time zone s.timezone)::date
                < greatest(s.path_spans_until, s.user_spans_until, s.top_paths_until) as is_late
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
    ),
    settled as (
        insert into settled_days (site_id, day, stored, duplicates)
        select d.site_id, d.day, coalesce(f.events, 0), d.events - coalesce(f.events, 0)
        from unnest(given_days) d
        left join (
            select site_id, (received_at at time zone 'UTC')::date as day, count(*) as events
            from placed
            group by 1, 2
        ) f on f.site_id = d.site_id and f.day = d.day
        on conflict (site_id, day) do update set
            stored = settled_days.stored + excluded.stored,
            duplicates = settled_days.duplicates + excluded.duplicates
    ),
    -- With what each user did on which days: joined to that once more, they could meet in time by the square of the users.
    seen as materialized (
        select
            site_id, user_id, next_no, min(event_time) as first_seen,
            array_agg(day) as days, array_agg(event_type) as event_types
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
    looked_up as materialized (
        select seen.*, known.user_no
        from seen
        left join known on known.site_id = seen.site_id and known.user_id = seen.user_id
    ),
    -- Most users are known: only those who are not are sorted.
    numbered as materialized (
        select site_id, user_id, first_seen, days, event_types, false as is_new, user_no
        from looked_up
        where user_no is not null
        union all
        select
            site_id, user_id, first_seen, days, event_types, true,
            (next_no - 1 + row_number() over (partition by site_id order by user_id))::integer
        from looked_up
        where user_no is null
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
    paths as materialized (
        select site_id, event_type, day, path, count(*) as events
        from placed
        group by site_id, event_type, day, path
    ),
    -- Most of them are there, and their sites are locked: an update alone takes less than `on conflict`, which locks first.
    known_paths as (
        update path_days p
        set events = p.events + n.events
        from paths n
        where p.site_id = n.site_id and p.event_type = n.event_type and p.day = n.day and p.path = n.path
        returning p.site_id, p.event_type, p.day, p.path
    ),
    new_paths as (
        insert into path_days (site_id, event_type, day, path, events)
        select n.site_id, n.event_type, n.day, n.path, n.events
        from paths n
        left join known_paths k
            on k.site_id = n.site_id and k.event_type = n.event_type and k.day = n.day and k.path = n.path
        where k.site_id is null
    ),
    days as (
        insert into user_days (site_id, day, event_type, chunk, users)
        select
            n.site_id, d.day, d.event_type, n.user_no / 8192,
            bit_or(set_bit(repeat('0', 8192)::bit(8192), n.user_no % 8192, 1))
        from numbered n
        cross join unnest(n.days, n.event_types) d (day, event_type)
        group by n.site_id, d.day, d.event_type, n.user_no / 8192
        on conflict (site_id, day, event_type, chunk) do update set users = user_days.users | excluded.users
    )
    select jsonb_array_length(batch), coalesce(cardinality(fresh), 0), (select bool_or(is_late) from placed)
    into received, stored, some_late;

    if sales is not null then
        perform add_sales(sales);
    end if;

    -- Late events also belong to the rollups that are written later, which have their time already.
    if some_late is not true then
        return;
    end if;

    perform add_to_path_spans(fresh);
    perform add_to_user_spans(fresh);

    for late in
        select f.site_id, array_agg(distinct (f.event_time at time zone s.timezone)::date) as days
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where (f.event_time at time zone s.timezone)::date < s.top_paths_until
        group by f.site_id
    loop
        perform forget_top_paths(late.site_id, late.days);
    end loop;

    for late in
        select f.site_id, array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where f.event_time < s.sessions_until
        group by f.site_id
    loop
        perform add_to_sessions(late.site_id, 'infinity', 'infinity', late.events);
    end loop;

    for late in
        select f.site_id, array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where f.event_time < s.user_months_until
        group by f.site_id
    loop
        perform add_to_user_months(late.site_id, 'infinity', 'infinity', late.events);
    end loop;
end
$$;
