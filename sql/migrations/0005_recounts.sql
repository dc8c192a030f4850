-- Recounts: where the rollups differ from what the events say, and making them right. `tjra verify` and `tjra rebuild`
-- share them, so that they cannot disagree. Days are those of the site's timezone, the first and the last included.

-- Before this moment the site's events are no longer kept, while its rollups keep their numbers; null: all are kept.
-- Whoever drops events sets it in the same transaction. Days that begin before it are never compared nor rebuilt.
alter table sites add events_from timestamptz;

-- From which day on can a site's rollups be recounted? Null: all days.
create view kept_days as
select site_id, timezone, (events_from at time zone timezone - interval '1 microsecond')::date + 1 as first_kept
from sites;

-- Three notes on the functions below. An event is found by its time, with three hours to spare at both ends because no
-- clock is turned back further, and then by its local day, which is exact. Being stable, they see the snapshot of the
-- statement that calls them. And days whose events are gone are left out here, in that snapshot, where no caller can forget it.

-- An hour whose events are right may still be wrong in how many of them are anonymous.
create function different_event_hours(site varchar, first_day date, last_day date)
returns table (event_type varchar, hour timestamptz, says bigint, should bigint, anonymous_says bigint, anonymous bigint)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select coalesce(s.event_type, r.event_type), coalesce(s.hour, r.hour), s.events, r.events, s.anonymous, r.anonymous
    from (
        select event_type, hour, events, anonymous
        from event_hours
        where site_id = site
            and hour >= first_day::timestamp at time zone zone - interval '3 hours'
            and hour < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (hour at time zone zone)::date between first_day and last_day
    ) s
    full join (
        select
            event_type,
            date_trunc('hour', event_time, zone) as hour,
            count(*) as events,
            count(*) - count(user_id) as anonymous
        from events
        where site_id = site
            and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
            and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (date_trunc('hour', event_time, zone) at time zone zone)::date between first_day and last_day
        group by 1, 2
    ) r on r.event_type = s.event_type and r.hour = s.hour
    where (s.events, s.anonymous) is distinct from (r.events, r.anonymous);
end
$$;

create function different_path_days(site varchar, first_day date, last_day date)
returns table (event_type varchar, day date, path text, says bigint, should bigint)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select coalesce(s.event_type, r.event_type), coalesce(s.day, r.day), coalesce(s.path, r.path), s.events, r.events
    from (
        select event_type, day, path, events
        from path_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select event_type, (event_time at time zone zone)::date as day, path, count(*) as events
        from events
        where site_id = site
            and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
            and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (event_time at time zone zone)::date between first_day and last_day
        group by 1, 2, 3
    ) r on r.event_type = s.event_type and r.day = s.day and r.path = s.path
    where s.events is distinct from r.events;
end
$$;

-- Users without a number are left out here: they are unnumbered_users.
create function different_user_days(site varchar, first_day date, last_day date)
returns table (day date, event_type varchar, chunk integer, says bit, should bit)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select coalesce(s.day, r.day), coalesce(s.event_type, r.event_type), coalesce(s.chunk, r.chunk), s.users, r.users
    from (
        select day, event_type, chunk, users
        from user_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select
            p.day, p.event_type, u.user_no / 8192 as chunk,
            bit_or(set_bit(repeat('0', 8192)::bit(8192), u.user_no % 8192, 1)) as users
        from (
            select distinct (event_time at time zone zone)::date as day, event_type, user_id
            from events
            where site_id = site
                and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
                and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
                and (event_time at time zone zone)::date between first_day and last_day
                and user_id is not null
        ) p
        join users u on u.site_id = site and u.user_id = p.user_id
        group by p.day, p.event_type, u.user_no / 8192
    ) r on r.day = s.day and r.event_type = s.event_type and r.chunk = s.chunk
    where s.users is distinct from r.users;
end
$$;

-- Users of these days' events who have no number.
create function unnumbered_users(site varchar, first_day date, last_day date)
returns table (user_id varchar, first_seen timestamptz)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select p.user_id, p.first_seen
    from (
        select user_id, min(event_time) as first_seen
        from events
        where site_id = site
            and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
            and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (event_time at time zone zone)::date between first_day and last_day
            and user_id is not null
        group by user_id
    ) p
    left join users u on u.site_id = site and u.user_id = p.user_id
    where u.user_id is null;
end
$$;

-- Numbered users of whom there is no event, though all events since they were first seen are kept.
create function idle_users(site varchar)
returns table (user_id varchar)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select u.user_id
    from users u
    where u.site_id = site
        and u.first_seen >= (select coalesce(s.events_from, '-infinity') from sites s where s.site_id = site)
        and not exists (select from events e where e.site_id = site and e.user_id = u.user_id);
end
$$;

-- Make the counter of a site's users right. With `renumber` also take their numbers from users who should not have one:
-- who are idle; who share theirs with another; and, where there are numbers that nobody has, the last ones, as long as
-- every bitmap can be rebuilt. All days must be rebuilt after that, which numbers anew those of whom there are events.
-- Returns how many rows were not right.
create function rebuild_users(site varchar, renumber boolean, out corrected bigint)
language plpgsql
as $$
declare
    step bigint;
begin
    perform from sites s where s.site_id = site for update;
    corrected := 0;

    if renumber then
        delete from users u
        where u.site_id = site and u.user_id = any (array(select i.user_id from idle_users(site) i));
        get diagnostics corrected = row_count;

        delete from users u
        where u.site_id = site and u.user_id = any (array(
            select s.user_id
            from (
                select user_id, row_number() over (partition by user_no order by first_seen, user_id) as nth
                from users
                where site_id = site
            ) s
            where s.nth > 1
        ));
        get diagnostics step = row_count;
        corrected := corrected + step;

        delete from users u
        where u.site_id = site and u.user_no >= (select count(*) from users where site_id = site)
            and exists (select from sites s where s.site_id = site and s.events_from is null);
        get diagnostics step = row_count;
        corrected := corrected + step;
    end if;

    update sites s
    set users = n.next_no
    from (select coalesce(max(user_no) + 1, 0) as next_no from users where site_id = site) n
    where s.site_id = site and s.users <> n.next_no;
    get diagnostics step = row_count;
    corrected := corrected + step;
end
$$;

-- Make the rollups of these days what the events say: one call is one transaction. Writers of the site wait for it, as
-- they wait for each other, and count on top of it. Returns how many rows were not right.
-- It is written so that no plan takes time by the square of the rows, however old the planner's statistics are.
create function rebuild_days(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
as $$
begin
    perform from sites s where s.site_id = site for update;

    corrected := 0;
    if exists (select from unnumbered_users(site, first_day, last_day)) then
        -- The lowest free numbers: first those that were taken from somebody, so that numbers stay dense.
        with unnumbered as materialized (
            select user_id, first_seen, row_number() over (order by first_seen, user_id) as nth
            from unnumbered_users(site, first_day, last_day)
        ),
        free as (
            select no, row_number() over (order by no) as nth
            from (
                select generate_series(0, coalesce(max(user_no), -1) + (select count(*) from unnumbered))
                from users
                where site_id = site
                except
                select user_no from users where site_id = site
            ) numbers (no)
        )
        insert into users (site_id, user_id, user_no, first_seen)
        select site, n.user_id, free.no, n.first_seen
        from unnumbered n
        join free on free.nth = n.nth;
        get diagnostics corrected = row_count;
        update sites s
        set users = greatest(s.users, (select max(user_no) + 1 from users where site_id = site))
        where s.site_id = site;
    end if;

    with different as materialized (
        select * from different_event_hours(site, first_day, last_day)
    ),
    surplus as materialized (
        select event_type, hour from different where should is null
    ),
    gone as (
        delete from event_hours h
        using surplus s
        where h.site_id = site and h.event_type = s.event_type and h.hour = s.hour
    ),
    put as (
        insert into event_hours (site_id, event_type, hour, events, anonymous)
        select site, event_type, hour, should, anonymous from different where should is not null
        on conflict (site_id, event_type, hour) do update set
            events = excluded.events,
            anonymous = excluded.anonymous
    )
    select corrected + count(*) into corrected from different;

    with different as materialized (
        select * from different_path_days(site, first_day, last_day)
    ),
    surplus as materialized (
        select event_type, day, path from different where should is null
    ),
    gone as (
        delete from path_days p
        using surplus s
        where p.site_id = site and p.day between first_day and last_day
            and p.event_type = s.event_type and p.day = s.day and p.path = s.path
    ),
    put as (
        insert into path_days (site_id, event_type, day, path, events)
        select site, event_type, day, path, should from different where should is not null
        on conflict (site_id, event_type, day, path) do update set events = excluded.events
    )
    select corrected + count(*) into corrected from different;

    with different as materialized (
        select * from different_user_days(site, first_day, last_day)
    ),
    surplus as materialized (
        select day, event_type, chunk from different where should is null
    ),
    gone as (
        delete from user_days u
        using surplus s
        where u.site_id = site and u.day between first_day and last_day
            and u.day = s.day and u.event_type = s.event_type and u.chunk = s.chunk
    ),
    put as (
        insert into user_days (site_id, day, event_type, chunk, users)
        select site, day, event_type, chunk, should from different where should is not null
        on conflict (site_id, day, event_type, chunk) do update set users = excluded.users
    )
    select corrected + count(*) into corrected from different;
end
$$;
