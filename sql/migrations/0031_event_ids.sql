-- Claiming clients' ids costs less: `on conflict` looks for each id, inserts it and marks it as sure, two thirds more than
-- looking for all at once and inserting those that are new. Compared by the id first, that is quicker too.
alter table event_ids drop constraint event_ids_pkey;
alter table event_ids add constraint event_ids_pkey primary key (event_id, site_id);

-- Did clients of these sites lately send ids that have the form of ours? Only by the index of those, however little the
-- planner knows of the table: all its rows would be read at each flush.
create function have_made_ids(sites text[], out have boolean)
language plpgsql stable
set enable_seqscan = off
as $$
begin
    have := exists (select 1 from event_ids i where i.made and i.site_id = any (sites));
end
$$;

-- As before (0028), but the ids of clients are claimed as above.
--
-- batch: a JSON array of events as the queue carries them; present: now. Returns how many events it held and how many of
-- them were new. Runs in READ COMMITTED, as it has to see what was committed while it waited for its locks.
create or replace function store_events(batch jsonb, present timestamptz, out received bigint, out stored bigint)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_mergejoin = off
as $$
declare
    given_days received_day[];
    fresh_days received_day[];
    fresh fresh_event[];
    sales new_sale[];
    sites text[];
    repeated event_key[];
    looks_up boolean := false;
    in_doubt boolean := false;
    fault text;
    faulty_table text;
    some_late boolean;
    late record;
begin
    loop
        begin
            with given as materialized (
                select *
                from rows from (
                    jsonb_to_recordset(batch) as (
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
                ) with ordinality e (
                    site_id, event_id, event_type, path, user_id, event_time, received_at, properties, id_made, place
                )
            ),
            firsts as materialized (
                select distinct on (event_id, site_id) *
                from given
                where id_made is not true
                order by event_id, site_id, received_at, place
            ),
            -- An inner join on purpose: Citus ships it to the shards.
            came_before as materialized (
                select f.site_id, f.event_id
                from event_ids i
                join firsts f on f.site_id = i.site_id and f.event_id = i.event_id
                where not in_doubt
            ),
            -- In order of the key, so that those who store the same ids wait for each other and do not deadlock.
            claimed_plainly as (
                insert into event_ids (site_id, event_id, seen_at, made)
                select f.site_id, f.event_id, present, f.event_id::text like '______________7e1d-9e1d-%'
                from firsts f
                left join came_before b on b.site_id = f.site_id and b.event_id = f.event_id
                where not in_doubt and b.site_id is null
                order by f.event_id, f.site_id
                returning site_id, event_id
            ),
            claimed_where_new as (
                insert into event_ids (site_id, event_id, seen_at, made)
                select site_id, event_id, present, event_id::text like '______________7e1d-9e1d-%'
                from firsts
                where in_doubt
                order by event_id, site_id
                on conflict do nothing
                returning site_id, event_id
            ),
            claimed as (
                select * from claimed_plainly
                union all
                select * from claimed_where_new
            ),
            news as not materialized (
                select * from given where id_made
                union all
                select f.* from firsts f join claimed c on c.site_id = f.site_id and c.event_id = f.event_id
            ),
            -- `on conflict` looks for each event, inserts it and marks it as sure: a sixth of what inserting takes.
            inserted_plainly as (
                insert into events (
                    site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at
                )
                select site_id, event_id, event_type, path, user_id, event_time, received_at, properties, present
                from news
                where not looks_up
                order by site_id, event_id, event_time
                returning site_id, event_id, event_type, path, user_id, event_time, received_at, properties
            ),
            inserted_where_new as (
                insert into events (
                    site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at
                )
                select site_id, event_id, event_type, path, user_id, event_time, received_at, properties, present
                from news
                where looks_up and not exists (
                    select 1
                    from unnest(repeated) r
                    where r.site_id = news.site_id and r.event_id = news.event_id
                        and r.id_made = (news.id_made is true)
                )
                order by site_id, event_id, event_time
                on conflict do nothing
                returning site_id, event_id, event_type, path, user_id, event_time, received_at, properties
            ),
            inserted as (
                select * from inserted_plainly
                union all
                select * from inserted_where_new
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

            sites := array(select distinct d.site_id from unnest(given_days) d);
            perform lock_sites(sites);
            if not looks_up then
                if (select have from have_made_ids(sites)) then
                    raise unique_violation;
                end if;
            end if;
            exit;
        exception when unique_violation or check_violation then
            get stacked diagnostics fault = returned_sqlstate, faulty_table = table_name;
            if faulty_table like 'event\_ids%' and not in_doubt then -- on Citus it is a shard, event_ids_102008
                in_doubt := true; -- somebody stored one of the ids meanwhile
                continue;
            end if;
            -- An event came again after its id was forgotten here; or a client had an id from our answer and sent the event
            -- once more, perhaps with a time that has no partition. All of that is rare: what there is is looked for.
            if looks_up or fault = '23514' and not has_made_ids_of_clients(batch) then
                raise;
            end if;
            looks_up := true;
            in_doubt := true;
            sites := array(select distinct e.site_id from jsonb_to_recordset(batch) e (site_id text));
            perform lock_sites(sites);
            repeated := repeated_made_ids(batch);
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
