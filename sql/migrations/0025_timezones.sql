-- The timezones that a site may have, and changing a site's.

-- The names that PostgreSQL and Python both know: `tjra migrate` fills it, each time, and has sites refer to it once that is
-- done (db/timezones.py).
create table timezones (
    name text collate "C" primary key
);

-- The timezone, or null where PostgreSQL cannot use it: for what is asked of all sites at once, and must not fail for one.
create function usable_timezone(zone text) returns text
language plpgsql stable
as $$
begin
    perform now() at time zone zone;
    return zone;
exception when invalid_parameter_value then
    return null;
end
$$;

-- Two days and those between them, by month: the first and the last of each.
create function months_between(from_day date, to_day date) returns table (first_day date, last_day date)
language plpgsql immutable
as $$
begin
    return query
    select
        greatest(month::date, from_day),
        least((month + interval '1 month')::date - 1, to_day)
    from generate_series(date_trunc('month', from_day::timestamp), to_day::timestamp, interval '1 month') month;
end
$$;

-- What of these days' rollups is of events that are gone, for a site whose `events_from` is null meanwhile.
create function counted_of_gone_events(site varchar, first_day date, last_day date) returns jsonb
language plpgsql stable
as $$
declare
    none bit(8192) := repeat('0', 8192)::bit(8192);
begin
    return jsonb_build_object(
        'event_hours', (
            select jsonb_agg(jsonb_build_object(
                'event_type', d.event_type, 'hour', d.hour, 'events', d.says - coalesce(d.should, 0),
                'anonymous', greatest(d.anonymous_says - coalesce(d.anonymous, 0), 0)
            ))
            from different_event_hours(site, first_day - 2, last_day) d -- that may be of these days by another clock
            where d.says > coalesce(d.should, 0)
        ),
        'path_days', (
            select jsonb_agg(jsonb_build_object(
                'event_type', d.event_type, 'day', d.day, 'path', d.path, 'events', d.says - coalesce(d.should, 0)
            ))
            from different_path_days(site, first_day, last_day) d
            where d.says > coalesce(d.should, 0)
        ),
        'user_days', (
            select jsonb_agg(jsonb_build_object(
                'event_type', d.event_type, 'day', d.day, 'chunk', d.chunk, 'users', d.says & ~ coalesce(d.should, none)
            ))
            from different_user_days(site, first_day, last_day) d
            where d.says & ~ coalesce(d.should, none) <> none
        ),
        'sale_days', (
            select jsonb_agg(jsonb_build_object(
                'day', d.day, 'what', d.what, 'outcome', d.outcome, 'currency', d.currency,
                'events', d.says - coalesce(d.should, 0), 'amount', d.says_amount - coalesce(d.amount, 0)
            ))
            from different_sale_days(site, first_day, last_day) d
            where d.says > coalesce(d.should, 0)
        ),
        'product_days', (
            select jsonb_agg(jsonb_build_object(
                'day', d.day, 'currency', d.currency, 'product_key', d.product_key, 'product', d.product, 'name', d.name,
                'orders', d.says - coalesce(d.should, 0), 'quantity', d.says_quantity - coalesce(d.quantity, 0),
                'revenue', d.says_revenue - coalesce(d.revenue, 0)
            ))
            from different_product_days(site, first_day, last_day) d
            where d.says > coalesce(d.should, 0)
        )
    );
end
$$;

-- Add the same to the rollups again, to no later day than this one.
create function add_gone_events(site varchar, gone jsonb, until_day date, zone text) returns void
language plpgsql
as $$
begin
    insert into event_hours (site_id, event_type, hour, events, anonymous)
    select site, g.event_type, date_trunc('hour', g.hour, zone), sum(g.events), sum(g.anonymous)
    from jsonb_to_recordset(nullif(gone -> 'event_hours', 'null'))
        g (event_type varchar, hour timestamptz, events bigint, anonymous bigint)
    group by 2, 3
    on conflict (site_id, event_type, hour) do update set
        events = event_hours.events + excluded.events,
        anonymous = event_hours.anonymous + excluded.anonymous;

    insert into path_days (site_id, event_type, day, path, events)
    select site, g.event_type, least(g.day, until_day), g.path, sum(g.events)
    from jsonb_to_recordset(nullif(gone -> 'path_days', 'null')) g (event_type varchar, day date, path text, events bigint)
    group by 2, 3, 4
    on conflict (site_id, event_type, day, path) do update set events = path_days.events + excluded.events;

    insert into user_days (site_id, day, event_type, chunk, users)
    select site, least(g.day, until_day), g.event_type, g.chunk, bit_or(g.users)
    from jsonb_to_recordset(nullif(gone -> 'user_days', 'null'))
        g (event_type varchar, day date, chunk integer, users bit(8192))
    group by 2, 3, 4
    on conflict (site_id, day, event_type, chunk) do update set users = user_days.users | excluded.users;

    insert into sale_days (site_id, day, what, outcome, currency, events, amount)
    select site, least(g.day, until_day), g.what, g.outcome, g.currency, sum(g.events), sum(g.amount)
    from jsonb_to_recordset(nullif(gone -> 'sale_days', 'null'))
        g (day date, what text, outcome text, currency text, events bigint, amount numeric)
    group by 2, 3, 4, 5
    on conflict (site_id, day, what, outcome, currency) do update set
        events = sale_days.events + excluded.events,
        amount = sale_days.amount + excluded.amount;

    insert into product_days (site_id, day, currency, product_key, product, name, orders, quantity, revenue)
    select
        site, least(g.day, until_day), g.currency, g.product_key, max(g.product collate "C"), max(g.name collate "C"),
        sum(g.orders), sum(g.quantity), sum(g.revenue)
    from jsonb_to_recordset(nullif(gone -> 'product_days', 'null')) g (
        day date, currency text, product_key text, product text, name text,
        orders bigint, quantity numeric, revenue numeric
    )
    group by 2, 3, 4
    on conflict (site_id, day, currency, product_key) do update set
        orders = product_days.orders + excluded.orders,
        quantity = product_days.quantity + excluded.quantity,
        revenue = product_days.revenue + excluded.revenue;
end
$$;

-- Sum a site's sessions up anew, by days of its timezone. The site is locked by the caller.
create function sum_sessions_anew(site varchar, zone text) returns void
language plpgsql
as $$
begin
    delete from session_days d where d.site_id = site;
    delete from session_page_days d where d.site_id = site;

    insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
    select
        site, (s.began at time zone zone)::date, floor(date_part('epoch', s.ended - s.began))::integer,
        count(*), count(*) filter (where s.events = 1), sum(s.views), sum(s.ended - s.began)
    from sessions s
    where s.site_id = site
    group by 2, 3;

    insert into session_page_days (site_id, day, path, entries, exits)
    select site, (s.began at time zone zone)::date, p.path, sum(p.entries), sum(p.exits)
    from sessions s
    cross join lateral (values (s.entry_page, 1, 0), (s.exit_page, 0, 1)) p (path, entries, exits)
    where s.site_id = site
    group by 2, 3;
end
$$;

-- Set a site's timezone and make all that goes by its days and hours anew: one call is one transaction, and whoever stores
-- events of the site waits for it. Returns the timezone before; null: there is no such site.
--
-- Days whose events are no longer kept stay as they were. Where the first event that is kept falls within a day, before or
-- after, what was counted there of events that are gone is added to the last of these days: each event stays counted once.
-- Sessions are kept longer than events: their sums are of the new days throughout.
create function set_timezone(site varchar, zone text, out before text)
language plpgsql
as $$
#variable_conflict use_variable
declare
    kept_from  timestamptz;
    held_from  timestamptz;
    old_zone   text;
    border_day date;
    first_day  date;
    last_day   date;
    gone       jsonb;
    some_month record;
begin
    -- So that no partition goes meanwhile; in the order of all who store: events, then sites.
    lock table events in access share mode;
    select s.timezone, s.events_from into before, kept_from from sites s where s.site_id = site for update;
    if before is null or before = zone then
        return;
    end if;

    if kept_from is not null then
        -- Events that are said to be no longer kept are there for some minutes more.
        held_from := least(kept_from, (select min(p.starts) from event_partitions p));
        old_zone := coalesce(usable_timezone(before), zone);
        border_day := (held_from at time zone old_zone)::date;
        first_day := least(border_day, (held_from at time zone zone)::date);
        update sites s set timezone = old_zone, events_from = null where s.site_id = site;
        gone := counted_of_gone_events(site, first_day, border_day);
        delete from event_hours h
        where h.site_id = site and (h.hour at time zone old_zone)::date between first_day - 2 and border_day;
        delete from path_days p where p.site_id = site and p.day between first_day and border_day;
        delete from user_days u where u.site_id = site and u.day between first_day and border_day;
        delete from sale_days d where d.site_id = site and d.day between first_day and border_day;
        delete from product_days d where d.site_id = site and d.day between first_day and border_day;
        border_day := ((held_from - interval '1 microsecond') at time zone zone)::date;
    end if;

    -- A mark stays where it is unless its day has not come yet: all days before it are summed up, also the new ones.
    update sites s
    set
        timezone = zone,
        events_from = null,
        path_spans_until = least(s.path_spans_until, sixth_of((now() at time zone zone)::date)),
        user_spans_until = least(s.user_spans_until, (now() at time zone zone)::date)
    where s.site_id = site;

    select coalesce(first_day, min(days.first)), max(days.last)
    into first_day, last_day
    from (
        select min(day) as first, max(day) as last from path_days where site_id = site
        union all
        select min(day), max(day) from user_days where site_id = site
        union all
        select min(day), max(day) from sale_days where site_id = site
        union all
        -- By the other clock an hour may have been of a day on which there is nothing now.
        select (min(hour) at time zone zone)::date, (max(hour) at time zone zone)::date
        from event_hours
        where site_id = site
        union all
        select (min(event_time) at time zone zone)::date, (max(event_time) at time zone zone)::date
        from events
        where site_id = site
    ) days;

    for some_month in
        select * from months_between(first_day, last_day)
    loop
        perform rebuild_days(site, some_month.first_day, some_month.last_day);
        perform rebuild_sales(site, some_month.first_day, some_month.last_day);
    end loop;
    if gone is not null then
        perform add_gone_events(site, gone, border_day, zone);
    end if;
    perform sum_sessions_anew(site, zone);
    for some_month in
        select * from months_between(least(first_day, border_day), last_day)
    loop
        perform rebuild_path_spans(site, some_month.first_day, some_month.last_day);
        perform rebuild_user_spans(site, some_month.first_day, some_month.last_day);
        perform rebuild_top_paths(site, some_month.first_day, some_month.last_day);
    end loop;
    perform rebuild_totals(site);
    update sites s set events_from = kept_from where s.site_id = site;
end
$$;
