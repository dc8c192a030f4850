-- As before (0022), with a tenth less CPU: events whose id we made are inserted without looking for them first; what is
-- new among users and paths is only searched for where something is; and a batch without duplicates is counted once.
--
-- batch: a JSON array of events as the queue carries them. Returns how many it held and how many of them were new.
create or replace function store_events(batch jsonb, out received bigint, out stored bigint)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_mergejoin = off
as $$
declare
    given_days received_day[];
    fresh_days received_day[];
    fresh fresh_event[];
    sales new_sale[];
    some_late boolean;
    late record;
    look_for_all boolean := false;
begin
    loop
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
                    properties  jsonb,
                    id_made     boolean
                )
            ),
            -- `on conflict` looks for each event, inserts it and marks it as sure: a sixth of what inserting takes.
            inserted_made as (
                insert into events (
                    site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at
                )
                select site_id, event_id, event_type, path, user_id, "timestamp", received_at, properties, now()
                from given
                where id_made and not look_for_all
                order by site_id, event_id, "timestamp"
                returning site_id, event_id, event_type, path, user_id, event_time, received_at, properties
            ),
            inserted_others as (
                insert into events (
                    site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at
                )
                select site_id, event_id, event_type, path, user_id, "timestamp", received_at, properties, now()
                from given
                where id_made is not true or look_for_all
                -- In order of the key, so that those who store the same events wait for each other and do not deadlock.
                order by site_id, event_id, "timestamp"
                on conflict do nothing
                returning site_id, event_id, event_type, path, user_id, event_time, received_at, properties
            ),
            inserted as (
                select * from inserted_made
                union all
                select * from inserted_others
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
                    select array_agg(
                        (i.site_id, i.event_type, i.path, i.user_id, i.event_time, i.received_at)::fresh_event
                    )
                    from inserted i
                ),
                (
                    select array_agg((i.site_id, i.event_id, i.event_time, i.event_type, i.properties)::new_sale)
                    from inserted i
                    where is_sale(i.event_type)
                )
            into given_days, fresh, sales;
            exit;
        exception when unique_violation then
            -- A client had an id from our answer and sent the event once more, and that arrived here first.
            if look_for_all then
                raise;
            end if;
            look_for_all := true;
        end;
    end loop;

    received := jsonb_array_length(batch);
    stored := coalesce(cardinality(fresh), 0);
    fresh_days := given_days;
    if stored < received then
        select array_agg((d.site_id, d.day, d.events)::received_day)
        into fresh_days
        from (
            select site_id, (received_at at time zone 'UTC')::date as day, count(*) as events
            from unnest(fresh)
            group by 1, 2
        ) d;
    end if;

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
        left join unnest(fresh_days) f on f.site_id = d.site_id and f.day = d.day
        on conflict (site_id, day) do update set
            stored = settled_days.stored + excluded.stored,
            duplicates = settled_days.duplicates + excluded.duplicates
    ),
    -- Users by what they did on which day: an array of that for each user took longer than to look some up twice.
    seen as materialized (
        select site_id, user_id, day, event_type, next_no, min(event_time) as first_seen
        from placed
        where user_id is not null
        group by site_id, user_id, day, event_type, next_no
    ),
    -- An inner join on purpose: Citus ships it to the shards, where a left join would fetch the whole table.
    known as materialized (
        select seen.site_id, seen.user_id, seen.day, seen.event_type, u.user_no
        from users u
        join seen on seen.site_id = u.site_id and seen.user_id = u.user_id
    ),
    -- Mostly all are known, and nobody is looked for once more.
    numbered as materialized (
        select
            s.*,
            (s.next_no - 1 + dense_rank() over (partition by s.site_id order by s.user_id))::integer as user_no
        from seen s
        left join known k
            on k.site_id = s.site_id and k.user_id = s.user_id and k.day = s.day and k.event_type = s.event_type
        where k.site_id is null and (select count(*) from known) < (select count(*) from seen)
    ),
    new_users as (
        insert into users (site_id, user_id, user_no, first_seen)
        select site_id, user_id, user_no, min(first_seen)
        from numbered
        group by site_id, user_id, user_no
    ),
    counters as (
        update sites s
        set users = n.users
        from (select site_id, max(user_no) + 1 as users from numbered group by site_id) n
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
        where k.site_id is null and (select count(*) from known_paths) < (select count(*) from paths)
    ),
    days as (
        insert into user_days (site_id, day, event_type, chunk, users)
        select
            site_id, day, event_type, user_no / 8192,
            bit_or(set_bit(repeat('0', 8192)::bit(8192), user_no % 8192, 1))
        from (
            select site_id, day, event_type, user_no from known
            union all
            select site_id, day, event_type, user_no from numbered
        ) n
        group by site_id, day, event_type, user_no / 8192
        on conflict (site_id, day, event_type, chunk) do update set users = user_days.users | excluded.users
    )
    select bool_or(is_late)
    into some_late
    from placed;

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

-- With the plan of store_events, made for any number of sessions while there were none, each that was replaced was
-- compared with every session of its site.
alter function replace_sessions set plan_cache_mode = force_custom_plan;
