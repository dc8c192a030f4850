-- What works on plain PostgreSQL works on Citus. There a statement that names a distributed table is run by the node that
-- has the rows, which cannot ask the others: what a function finds that reads tables is fetched by a statement of its own.
-- And on a node a table's rows have another type: columns are named, never a whole row taken.

-- As before (0010), without whole rows of the table.
create or replace function joined_sessions(
    site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[]
)
returns table (
    user_id varchar, began timestamptz, ended timestamptz, entry_page text, exit_page text, events integer, views integer,
    replaced sessions[]
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    with added as materialized (
        select user_id, event_time, path, event_type
        from events
        where site_id = site and user_id is not null and event_time >= range_start and event_time < range_end
        union all
        select user_id, event_time, path, event_type
        from unnest(others)
        where user_id is not null
    ),
    users as materialized (
        select user_id, min(event_time) as first, max(event_time) as last
        from added
        group by user_id
    ),
    -- The sessions that they may belong to, and each of them as a session of its own.
    pieces as (
        select s.user_id, s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views, true as is_stored
        from users
        join sessions s on s.site_id = site and s.user_id = users.user_id
            and s.began < users.last + interval '30 minutes' and s.ended > users.first - interval '30 minutes'
        union all
        select user_id, event_time, event_time, path, path, 1, (event_type = 'page_view')::integer, false
        from added
    ),
    -- They are one where the silence between them is too short.
    placed as (
        select
            *,
            began - max(ended) over (
                partition by user_id order by began, entry_page rows between unbounded preceding and 1 preceding
            ) < interval '30 minutes' is not true as begins
        from pieces
    ),
    told_apart as (
        select
            *,
            max(began) filter (where begins) over (
                partition by user_id order by began, entry_page rows unbounded preceding
            ) as session_began
        from placed
    )
    select
        user_id,
        session_began,
        max(ended),
        (array_agg(entry_page order by began, entry_page))[1],
        (array_agg(exit_page order by ended desc, exit_page desc))[1],
        sum(events)::integer,
        sum(views)::integer,
        array_agg((site, user_id, began, ended, entry_page, exit_page, events, views)::sessions order by began)
            filter (where is_stored)
    from told_apart
    group by user_id, session_began;
end
$$;

-- What sessions do the events of a site make that are not in the rollup yet, together with those that are? See
-- sql/reports/open_sessions.sql.
create function open_sessions(site varchar, range_end timestamptz, present timestamptz)
returns table (covered_until text, open text)
language plpgsql stable
as $$
declare
    until timestamptz;
    joined sessions[] := '{}';
begin
    select s.sessions_until into until
    from sites s
    where s.site_id = site and s.sessions_until > present - interval '1 day';
    if until is null then
        return;
    end if;
    if range_end > until - interval '2 hours 30 minutes' or exists (
        select 1
        from sessions s
        where s.site_id = site and s.ended - s.began > interval '2 hours'
            and s.ended > until - interval '30 minutes' and s.began < range_end
    ) then
        joined := array(
            select (site, j.user_id, j.began, j.ended, j.entry_page, j.exit_page, j.events, j.views)::sessions
            from joined_sessions(site, until, 'infinity', '{}') j
        );
    end if;
    return query
    select until::text, joined::text;
end
$$;

-- How many events of a range name no user, of those that match the filters (event_matches)?
create function anonymous_events(site varchar, range_start timestamptz, range_end timestamptz, filters jsonb)
returns bigint
language plpgsql stable
set plan_cache_mode = force_custom_plan -- a filter that is known is a condition, which an index may answer
as $$
begin
    return (
        select count(*)
        from events
        where site_id = site and user_id is null and event_time >= range_start and event_time < range_end
            and event_matches(event_type, path, user_id, properties, filters)
    );
end
$$;

-- As before (0010).
create or replace function different_sessions(site varchar, first_day date, last_day date)
returns table (
    user_id varchar, began timestamptz,
    says_ended timestamptz, says_entry_page text, says_exit_page text, says_events integer, says_views integer,
    ended timestamptz, entry_page text, exit_page text, events integer, views integer
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    range_start timestamptz;
    range_end timestamptz;
    seen_until timestamptz;
    recounted sessions[];
begin
    select
        greatest(first_day::timestamp at time zone s.timezone, s.events_from + interval '30 minutes'),
        least((last_day + 1)::timestamp at time zone s.timezone, s.sessions_until),
        s.sessions_until
    into range_start, range_end, seen_until
    from sites s
    where s.site_id = site;
    recounted := array(
        select (site, r.user_id, r.began, r.ended, r.entry_page, r.exit_page, r.events, r.views)::sessions
        from sessions_in(site, range_start, range_end, seen_until, null) r
    );
    return query
    select
        coalesce(s.user_id, r.user_id), coalesce(s.began, r.began),
        s.ended, s.entry_page, s.exit_page, s.events, s.views,
        r.ended, r.entry_page, r.exit_page, r.events, r.views
    from (
        select user_id, began, ended, entry_page, exit_page, events, views
        from sessions
        where site_id = site and began >= range_start and began < range_end
    ) s
    full join unnest(recounted) r on r.user_id = s.user_id and r.began = s.began
    where (s.ended, s.entry_page, s.exit_page, s.events, s.views)
        is distinct from (r.ended, r.entry_page, r.exit_page, r.events, r.views);
end
$$;

-- As before (0014).
create or replace function different_sale_days(site varchar, first_day date, last_day date)
returns table (
    day date, what text, outcome text, currency text,
    says bigint, says_amount numeric, should bigint, amount numeric
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    judged judged_sale[];
begin
    judged := array(
        select (
            j.site_id, j.event_id, j.event_time, j.day, j.what, j.outcome, j.currency, j.amount, j.lines, j.times
        )::judged_sale
        from judged_sales(site, first_day, last_day) j
    );
    return query
    with sales as materialized (
        select day, what, outcome, currency, amount, lines from unnest(judged)
    )
    select
        coalesce(s.day, r.day), coalesce(s.what, r.what), coalesce(s.outcome, r.outcome), coalesce(s.currency, r.currency),
        s.events, s.amount, r.events, r.amount
    from (
        select day, what, outcome, currency, events, amount
        from sale_days
        where site_id = site and day between first_day and last_day
            and day >= (select coalesce(k.first_kept, '-infinity') from kept_days k where k.site_id = site)
    ) s
    full join (
        select
            day, what, outcome, case when outcome = 'counted' then currency else '' end as currency,
            count(*) as events, sum(case when outcome = 'counted' then amount else 0 end) as amount
        from sales
        group by 1, 2, 3, 4
        union all
        select s.day, 'product', l.fault collate "C", '', count(*), 0
        from sales s
        cross join lateral read_lines(s.lines) l
        where s.what = 'order' and s.outcome = 'counted' and l.fault is not null
        group by s.day, l.fault collate "C"
    ) r on r.day = s.day and r.what = s.what and r.outcome = s.outcome and r.currency = s.currency
    where (s.events, s.amount) is distinct from (r.events, r.amount);
end
$$;

create or replace function different_product_days(site varchar, first_day date, last_day date)
returns table (
    day date, currency text, product_key text, product text, name text,
    says bigint, says_quantity numeric, says_revenue numeric, should bigint, quantity numeric, revenue numeric
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    counted judged_sale[];
begin
    counted := array(
        select (
            j.site_id, j.event_id, j.event_time, j.day, j.what, j.outcome, j.currency, j.amount, j.lines, j.times
        )::judged_sale
        from judged_sales(site, first_day, last_day) j
        where j.what = 'order' and j.outcome = 'counted'
    );
    return query
    select
        coalesce(s.day, r.day), coalesce(s.currency, r.currency), coalesce(s.product_key, r.product_key),
        coalesce(r.product, s.product), case when r.day is null then s.name else r.name end,
        s.orders, s.quantity, s.revenue, r.orders, r.quantity, r.revenue
    from (
        select day, currency, product_key, product, name, orders, quantity, revenue
        from product_days
        where site_id = site and day between first_day and last_day
            and day >= (select coalesce(k.first_kept, '-infinity') from kept_days k where k.site_id = site)
    ) s
    full join (
        select
            day, currency, index_key(jsonb_build_array(product, name)::text) collate "C" as product_key, product, name,
            count(*) as orders, sum(quantity) as quantity, sum(revenue) as revenue
        from (
            select
                j.day, j.currency, l.product collate "C" as product, max(l.name collate "C") as name,
                sum(l.quantity) as quantity, sum(l.revenue) as revenue
            from unnest(counted) j
            cross join lateral read_lines(j.lines) l
            where l.fault is null
            group by j.day, j.event_id, j.event_time, j.currency, l.product collate "C"
        ) of_orders
        group by day, currency, product, name
    ) r on r.day = s.day and r.currency = s.currency and r.product_key = s.product_key
    where (s.product, s.name, s.orders, s.quantity, s.revenue)
        is distinct from (r.product, r.name, r.orders, r.quantity, r.revenue);
end
$$;

-- As before (0005).
create or replace function idle_users(site varchar)
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
        and not exists (select 1 from events e where e.site_id = site and e.user_id = u.user_id);
end
$$;

create or replace function rebuild_users(site varchar, renumber boolean, out corrected bigint)
language plpgsql
as $$
declare
    idle varchar[];
    step bigint;
begin
    perform from sites s where s.site_id = site for update;
    corrected := 0;

    if renumber then
        idle := array(select i.user_id from idle_users(site) i);
        delete from users u
        where u.site_id = site and u.user_id = any (idle);
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
            and exists (select 1 from sites s where s.site_id = site and s.events_from is null);
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

-- Rows of the rollups as they should be, for the functions below, which first find all that differ and then correct them;
-- where a number, `users` or `event_id` is null, there should be no such row.
create type right_event_hour as (event_type varchar(100) collate "C", hour timestamptz, events bigint, anonymous bigint);
create type right_path_day as (event_type varchar(100) collate "C", day date, path text collate "C", events bigint);
create type right_user_day as (day date, event_type varchar(100) collate "C", chunk integer, users bit(8192));
create type right_session_day as (
    day date, seconds integer, sessions integer, bounces integer, views integer, length interval
);
create type right_session_page_day as (day date, path text collate "C", entries integer, exits integer);
create type right_order as (order_key text collate "C", event_time timestamptz, event_id uuid);
create type right_sale_day as (
    day date, what text collate "C", outcome text collate "C", currency text collate "C", events bigint, amount numeric
);
create type right_product_day as (
    day date, currency text collate "C", product_key text collate "C", product text collate "C", name text collate "C",
    orders bigint, quantity numeric, revenue numeric
);
create type right_path_span as (
    first_day date, end_day date, event_type varchar(100) collate "C", path text collate "C", events bigint
);
create type right_path_total as (event_type varchar(100) collate "C", path text collate "C", events bigint);
create type right_event_total as (
    event_type varchar(100) collate "C", events bigint, anonymous bigint, first_hour timestamptz, last_hour timestamptz
);
create type right_user_span as (
    first_day date, end_day date, event_type varchar(100) collate "C", chunk integer, users bit(8192)
);
create type right_user_month as (
    user_id varchar(255) collate "C", month date, range_start timestamptz, range_end timestamptz,
    kinds bytea, moments timestamptz[]
);
create type unnumbered_user as (user_id varchar(255) collate "C", first_seen timestamptz);

-- As before (0005). In this and those below, what is corrected is planned with the rows at hand, until the function ends:
-- planned for any number, each row of a table without statistics could be compared with all of them.
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
        -- The lowest free numbers: first those that were taken from somebody, so that numbers stay dense.
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
        set users = greatest(s.users, (select max(user_no) + 1 from users where site_id = site))
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

-- As before (0010).
create or replace function rebuild_sessions(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    gone sessions[];
    put sessions[];
    days right_session_day[];
    pages right_session_page_day[];
begin
    perform from sites s where s.site_id = site for update;

    select
        count(*),
        array_agg(
            (site, user_id, began, says_ended, says_entry_page, says_exit_page, says_events, says_views)::sessions
            order by user_id, began
        ) filter (where says_events is not null),
        array_agg(
            (site, user_id, began, ended, entry_page, exit_page, events, views)::sessions order by user_id, began
        ) filter (where events is not null)
    into corrected, gone, put
    from different_sessions(site, first_day, last_day);
    perform replace_sessions(site, gone, put);

    days := array(
        select (d.day, d.seconds, d.sessions, d.bounces, d.views, d.length)::right_session_day
        from different_session_days(site, first_day, last_day) d
    );
    pages := array(
        select (d.day, d.path, d.entries, d.exits)::right_session_page_day
        from different_session_page_days(site, first_day, last_day) d
    );

    set local plan_cache_mode = force_custom_plan;
    insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
    select site, r.day, r.seconds, r.sessions, r.bounces, r.views, r.length
    from unnest(days) r
    on conflict (site_id, day, seconds) do update set
        sessions = excluded.sessions,
        bounces = excluded.bounces,
        views = excluded.views,
        length = excluded.length;

    insert into session_page_days (site_id, day, path, entries, exits)
    select site, r.day, r.path, r.entries, r.exits
    from unnest(pages) r
    on conflict (site_id, day, path) do update set entries = excluded.entries, exits = excluded.exits;

    corrected := corrected + cardinality(days) + cardinality(pages);
end
$$;

-- As before (0014).
create or replace function rebuild_orders(site varchar, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    orders right_order[];
begin
    perform from sites s where s.site_id = site for update;

    orders := array(
        select (d.order_key, d.event_time, d.event_id)::right_order from different_orders(site) d
    );
    set local plan_cache_mode = force_custom_plan;
    delete from orders o
    using unnest(orders) r
    where o.site_id = site and o.order_key = r.order_key and r.event_id is null;
    insert into orders (site_id, order_key, event_time, event_id)
    select site, r.order_key, r.event_time, r.event_id
    from unnest(orders) r
    where r.event_id is not null
    on conflict (site_id, order_key) do update set event_time = excluded.event_time, event_id = excluded.event_id;
    corrected := cardinality(orders);
end
$$;

create or replace function rebuild_sales(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    sales right_sale_day[];
    products right_product_day[];
begin
    perform from sites s where s.site_id = site for update;

    sales := array(
        select (d.day, d.what, d.outcome, d.currency, d.should, d.amount)::right_sale_day
        from different_sale_days(site, first_day, last_day) d
    );
    products := array(
        select (
            d.day, d.currency, d.product_key, d.product, d.name, d.should, d.quantity, d.revenue
        )::right_product_day
        from different_product_days(site, first_day, last_day) d
    );

    set local plan_cache_mode = force_custom_plan;
    delete from sale_days s
    using unnest(sales) r
    where s.site_id = site and s.day between first_day and last_day
        and s.day = r.day and s.what = r.what and s.outcome = r.outcome and s.currency = r.currency and r.events is null;
    insert into sale_days (site_id, day, what, outcome, currency, events, amount)
    select site, r.day, r.what, r.outcome, r.currency, r.events, r.amount
    from unnest(sales) r
    where r.events is not null
    on conflict (site_id, day, what, outcome, currency) do update set
        events = excluded.events,
        amount = excluded.amount;

    delete from product_days p
    using unnest(products) r
    where p.site_id = site and p.day between first_day and last_day
        and p.day = r.day and p.currency = r.currency and p.product_key = r.product_key and r.orders is null;
    insert into product_days (site_id, day, currency, product_key, product, name, orders, quantity, revenue)
    select site, r.day, r.currency, r.product_key, r.product, r.name, r.orders, r.quantity, r.revenue
    from unnest(products) r
    where r.orders is not null
    on conflict (site_id, day, currency, product_key) do update set
        product = excluded.product,
        name = excluded.name,
        orders = excluded.orders,
        quantity = excluded.quantity,
        revenue = excluded.revenue;

    corrected := cardinality(sales) + cardinality(products);
end
$$;

-- As before (0013).
create or replace function rebuild_path_spans(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    spans right_path_span[];
begin
    perform from sites s where s.site_id = site for update;

    spans := array(
        select (d.first_day, d.end_day, d.event_type, d.path, d.should)::right_path_span
        from different_path_spans(site, from_day, to_day) d
    );
    set local plan_cache_mode = force_custom_plan;
    delete from path_spans p
    using unnest(spans) r
    where p.site_id = site and p.first_day = r.first_day and p.end_day = r.end_day
        and p.event_type = r.event_type and p.path = r.path and r.events is null;
    insert into path_spans (site_id, first_day, end_day, event_type, path, events)
    select site, r.first_day, r.end_day, r.event_type, r.path, r.events
    from unnest(spans) r
    where r.events is not null
    on conflict (site_id, first_day, end_day, event_type, path) do update set events = excluded.events;
    corrected := cardinality(spans);
end
$$;

-- As before (0017).
create or replace function rebuild_totals(site varchar, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    of_paths right_path_total[];
    of_events right_event_total[];
begin
    perform from sites s where s.site_id = site for update;

    of_paths := array(
        select (d.event_type, d.path, d.should)::right_path_total from different_path_totals(site) d
    );
    of_events := array(
        select (d.event_type, d.should, d.anonymous, d.first_hour, d.last_hour)::right_event_total
        from different_event_totals(site) d
    );

    set local plan_cache_mode = force_custom_plan;
    delete from path_totals t
    using unnest(of_paths) r
    where t.site_id = site and t.event_type = r.event_type and t.path = r.path and r.events is null;
    insert into path_totals (site_id, event_type, path, events)
    select site, r.event_type, r.path, r.events
    from unnest(of_paths) r
    where r.events is not null
    on conflict (site_id, event_type, path) do update set events = excluded.events;

    delete from event_totals t
    using unnest(of_events) r
    where t.site_id = site and t.event_type = r.event_type and r.events is null;
    insert into event_totals (site_id, event_type, events, anonymous, first_hour, last_hour)
    select site, r.event_type, r.events, r.anonymous, r.first_hour, r.last_hour
    from unnest(of_events) r
    where r.events is not null
    on conflict (site_id, event_type) do update set
        events = excluded.events,
        anonymous = excluded.anonymous,
        first_hour = excluded.first_hour,
        last_hour = excluded.last_hour;

    corrected := cardinality(of_paths) + cardinality(of_events);
end
$$;

-- As before (0015).
create or replace function rebuild_user_spans(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    spans right_user_span[];
begin
    perform from sites s where s.site_id = site for update;

    spans := array(
        select (d.first_day, d.end_day, d.event_type, d.chunk, d.should)::right_user_span
        from different_user_spans(site, from_day, to_day) d
    );
    set local plan_cache_mode = force_custom_plan;
    delete from user_spans u
    using unnest(spans) r
    where u.site_id = site and u.first_day = r.first_day and u.end_day = r.end_day
        and u.event_type = r.event_type and u.chunk = r.chunk and r.users is null;
    insert into user_spans (site_id, first_day, end_day, event_type, chunk, users)
    select site, r.first_day, r.end_day, r.event_type, r.chunk, r.users
    from unnest(spans) r
    where r.users is not null
    on conflict (site_id, first_day, end_day, event_type, chunk) do update set users = excluded.users;
    corrected := cardinality(spans);
end
$$;

-- As before (0018).
create or replace function rebuild_user_months(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
set enable_nestloop = off -- by the square of the users, until the table has statistics
as $$
declare
    types varchar[];
    months right_user_month[];
begin
    perform from sites s where s.site_id = site for update;
    types := array(select distinct h.event_type from event_hours h where h.site_id = site);
    perform number_event_types(site, types);

    months := array(
        select (d.user_id, d.month, d.range_start, d.range_end, d.kinds, d.moments)::right_user_month
        from different_user_months(site, from_day, to_day) d
    );
    corrected := cardinality(months);
    -- With what is outside of these days as it was.
    months := array(
        select (
            r.user_id, r.month, r.range_start, r.range_end,
            coalesce(substr(m.kinds, 1, cut.before), '') || coalesce(r.kinds, '')
                || coalesce(substr(m.kinds, cut.upto + 1), ''),
            coalesce(m.moments[:cut.before], '{}') || coalesce(r.moments, '{}')
                || coalesce(m.moments[cut.upto + 1:], '{}')
        )::right_user_month
        from unnest(months) r
        left join user_months m on m.site_id = site and m.month = r.month and m.user_id = r.user_id
        cross join lateral (
            select
                width_bucket(r.range_start - interval '1 microsecond', m.moments) as before,
                width_bucket(r.range_end - interval '1 microsecond', m.moments) as upto
        ) cut
    );
    set local plan_cache_mode = force_custom_plan;
    delete from user_months m
    using unnest(months) r
    where m.site_id = site and m.month = r.month and m.user_id = r.user_id and r.kinds = '';
    insert into user_months (site_id, month, user_id, kinds, moments)
    select site, r.month, r.user_id, r.kinds, r.moments
    from unnest(months) r
    where r.kinds <> ''
    on conflict (site_id, month, user_id) do update set kinds = excluded.kinds, moments = excluded.moments;
end
$$;
