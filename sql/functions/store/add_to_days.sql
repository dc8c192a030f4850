-- Count new events in the rollups by hour and by day and in the ledger, and number their users. given_days: how many
-- events arrived on which day, new or not; fresh_days: how many of them are new. Is any of them late, of a time before
-- the watermark of a deferred rollup? The caller has locked their sites.
--
-- An event of a time of which a site's events were deleted (sites.own_deleted_until) is refused, as make_partition does
-- where all sites' are gone: one that is sent again would be counted twice, as its first row is gone.
create or replace function add_to_days(
    fresh fresh_event[], given_days received_day[], fresh_days received_day[], out some_late boolean
)
language plpgsql
as $$
declare
    refused timestamptz;
    kept    timestamptz;
begin
    with placed as materialized (
        select
            f.*,
            date_trunc('hour', f.event_time, s.timezone) as hour,
            (f.event_time at time zone s.timezone)::date as day,
            s.users as next_no,
            s.own_deleted_until,
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
    -- One row per user, day and event type. An array per user was slower than looking some users up twice.
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
    -- Usually all users are known; then this runs no second lookup.
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
    -- Most rows exist, and their sites are locked: a plain update is cheaper than `on conflict`, which locks first.
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
    select bool_or(is_late), min(event_time) filter (where event_time < own_deleted_until),
        min(own_deleted_until) filter (where event_time < own_deleted_until)
    into some_late, refused, kept
    from placed;
    if refused is not null then
        raise check_violation
            using message = format('no event of %s is stored: events before %s are no longer kept', refused, kept);
    end if;
end
$$;
