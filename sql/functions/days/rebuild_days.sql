-- Correct the rollups by hour and by day for these days from the events. One call is one transaction. Writers of the
-- site wait for it, as they wait for each other, and add to the result. Returns how many rows were wrong.
--
-- The corrections run with custom plans (force_custom_plan), as in all rebuild_* functions: a generic plan could
-- compare each row of a table without statistics with all of them.
create or replace function rebuild_days(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    unnumbered unnumbered_user[];
    hours right_event_hour[];
    paths right_path_day[];
    bitmaps right_user_day[];
begin
    perform from sites s where s.site_id = site for update;

    unnumbered := array(
        select (u.user_id, u.first_seen)::unnumbered_user from unnumbered_users(site, first_day, last_day) u
    );
    corrected := cardinality(unnumbered);
    if corrected > 0 then
        set local plan_cache_mode = force_custom_plan;
        -- Use the lowest free numbers, first those of removed users, so that few are vacant.
        insert into users (site_id, user_id, user_no, first_seen)
        select site, n.user_id, free.no, n.first_seen
        from (
            select user_id, first_seen, row_number() over (order by first_seen, user_id) as nth
            from unnest(unnumbered)
        ) n
        join (
            select no, row_number() over (order by no) as nth
            from (
                select generate_series(0, coalesce(max(user_no), -1) + cardinality(unnumbered))
                from users
                where site_id = site
                except
                select user_no from users where site_id = site
            ) numbers (no)
        ) free on free.nth = n.nth;
        update sites s
        set users = greatest(s.users, n.next_no), vacant_numbers = greatest(s.users, n.next_no) - n.people
        from (select max(user_no) + 1 as next_no, count(*) as people from users where site_id = site) n
        where s.site_id = site;
        set local plan_cache_mode = auto;
    end if;

    hours := array(
        select (d.event_type, d.hour, d.should, d.anonymous)::right_event_hour
        from different_event_hours(site, first_day, last_day) d
    );
    paths := array(
        select (d.event_type, d.day, d.path, d.should)::right_path_day
        from different_path_days(site, first_day, last_day) d
    );
    bitmaps := array(
        select (d.day, d.event_type, d.chunk, d.should)::right_user_day
        from different_user_days(site, first_day, last_day) d
    );

    set local plan_cache_mode = force_custom_plan;
    delete from event_hours h
    using unnest(hours) r
    where h.site_id = site and h.event_type = r.event_type and h.hour = r.hour and r.events is null;
    insert into event_hours (site_id, event_type, hour, events, anonymous)
    select site, r.event_type, r.hour, r.events, r.anonymous
    from unnest(hours) r
    where r.events is not null
    on conflict (site_id, event_type, hour) do update set events = excluded.events, anonymous = excluded.anonymous;

    delete from path_days p
    using unnest(paths) r
    where p.site_id = site and p.day between first_day and last_day
        and p.event_type = r.event_type and p.day = r.day and p.path = r.path and r.events is null;
    insert into path_days (site_id, event_type, day, path, events)
    select site, r.event_type, r.day, r.path, r.events
    from unnest(paths) r
    where r.events is not null
    on conflict (site_id, event_type, day, path) do update set events = excluded.events;

    delete from user_days u
    using unnest(bitmaps) r
    where u.site_id = site and u.day between first_day and last_day
        and u.day = r.day and u.event_type = r.event_type and u.chunk = r.chunk and r.users is null;
    insert into user_days (site_id, day, event_type, chunk, users)
    select site, r.day, r.event_type, r.chunk, r.users
    from unnest(bitmaps) r
    where r.users is not null
    on conflict (site_id, day, event_type, chunk) do update set users = excluded.users;

    corrected := corrected + cardinality(hours) + cardinality(paths) + cardinality(bitmaps);
end
$$;
