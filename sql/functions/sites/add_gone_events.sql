-- Add the result of counted_of_gone_events to the rollups again. Rows of days after until_day are added to until_day.
create or replace function add_gone_events(site varchar, gone jsonb, until_day date, zone text) returns void
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
