-- Revenue: rollups of orders and refunds, for GET /revenue with the event types that it takes for them unless told others.
-- They are written with the events, as the others are, and stay when raw events are dropped.

-- Nobody stores while they are filled below; first of all, in the order of all who store: events, then sites.
lock table events in share row exclusive mode;

-- Of each order that has an id, the event that counts: the first that can be counted, by event_time and event_id.
create table orders (
    site_id    varchar(255) collate "C",
    order_key  text collate "C",               -- its id, see index_key
    event_time timestamptz not null,
    event_id   uuid not null,
    primary key (site_id, order_key)
);

-- What became of the orders and refunds of a day, and of the products in the orders that count.
create table sale_days (
    site_id  varchar(255) collate "C",
    day      date,
    what     text collate "C",                 -- order, refund or product
    outcome  text collate "C",                 -- counted, repeated, or why it was not counted
    currency text collate "C",                 -- empty unless counted
    events   bigint not null,                  -- of products, entries; those that were counted are in product_days
    amount   numeric not null,                 -- of what was counted; of refunds without the minus
    primary key (site_id, day, what, outcome, currency)
);

-- The products of a day's orders. A product that has several names has several rows; an order is in one of them.
create table product_days (
    site_id     varchar(255) collate "C",
    day         date,
    currency    text collate "C",
    product_key text collate "C",              -- product and name, see index_key
    product     text collate "C" not null,
    name        text collate "C",
    orders      bigint not null,
    quantity    numeric not null,
    revenue     numeric not null,
    primary key (site_id, day, currency, product_key)
);

-- From when on these have all of a site's orders and refunds; null: they have all. Only where events had been dropped when
-- the tables were made is it another moment.
alter table sites add sales_from timestamptz;

-- A text of any length as the key of an index, which holds short ones only: itself, or else its hash, which is longer than
-- any text that is short enough. (In SQL it would take ten times as long, as it cannot become part of a query.)
create function index_key(value text) returns text
language plpgsql immutable parallel safe
as $$
begin
    return case
        when octet_length(value) <= 64 then value
        else 'sha256:' || encode(sha256(convert_to(value, 'UTF8')), 'hex')
    end;
end
$$;

-- The event types of orders and of refunds: ORDERS and REFUNDS in db/reports/revenue.py, and the index events_sales.
create function is_refund(event_type varchar) returns boolean
language sql immutable parallel safe
return event_type collate "C" in ('Order Refunded', 'order_refunded', 'refund', 'Refund');

create function is_sale(event_type varchar) returns boolean
language sql immutable parallel safe
return event_type collate "C" in (
    'Order Completed', 'order_completed', 'purchase', 'Purchase', 'checkout_completed',
    'Order Refunded', 'order_refunded', 'refund', 'Refund'
);

-- What do an order's or a refund's properties say? fault: why it cannot be counted, or null. Being one query, this and the
-- next one become part of the query that calls them; `offset 0` has what is above it computed once, however often it is used.
create function read_sale(properties jsonb, is_refund boolean)
returns table (order_id text, amount numeric, currency text, fault text, lines jsonb)
language sql immutable parallel safe
as $$
    select
        order_id,
        case when is_refund then abs(amount) else amount end,
        currency,
        case
            when amount_given is null then 'revenue_missing'
            when amount is null then 'revenue_invalid'
            when amount < 0 and not is_refund then 'revenue_negative'
            when currency_given is null then 'currency_missing'
            when currency is null then 'currency_invalid'
        end,
        lines
    from (
        select
            *,
            exact_number(amount_given) as amount,
            case when currency_given ~ '^ *[A-Za-z]{3} *$' then upper(btrim(currency_given)) end as currency
        from (
            select
                nullif(coalesce(properties ->> 'order_id', properties ->> 'transaction_id'), '') as order_id,
                coalesce(
                    nullif(properties -> 'revenue', 'null'),
                    nullif(properties -> 'total', 'null'),
                    nullif(properties -> 'value', 'null')
                ) as amount_given,
                properties ->> 'currency' as currency_given,
                coalesce(properties -> 'products', properties -> 'items') as lines
            offset 0
        ) given
        offset 0
    ) read
$$;

-- What do the entries of an order's products say? fault: why one cannot be counted, or null.
create function read_lines(lines jsonb)
returns table (product text, name text, quantity numeric, revenue numeric, fault text)
language sql immutable parallel safe
as $$
    select
        product,
        name,
        quantity,
        price * quantity,
        case
            when product is null then 'product_missing'
            when price is null or price < 0 then 'price_invalid'
            when quantity is null or quantity < 0 then 'quantity_invalid'
        end
    from (
        select
            coalesce(line ->> 'product_id', line ->> 'sku', line ->> 'item_id', line ->> 'name', line ->> 'item_name')
                as product,
            coalesce(line ->> 'name', line ->> 'item_name') as name,
            exact_number(line -> 'price') as price,
            exact_number(coalesce(nullif(line -> 'quantity', 'null'), '1')) as quantity
        from jsonb_array_elements(case jsonb_typeof(lines) when 'array' then lines end) line
        offset 0
    ) read
$$;

-- The same as sale_days has it. order_key: of an order that may be the one that counts, or be repeated.
create function judge_sale(event_type varchar, properties jsonb)
returns table (what text, outcome text, order_key text, currency text, amount numeric, lines jsonb)
language sql immutable parallel safe
as $$
    select
        case when is_refund(event_type) then 'refund' else 'order' end,
        coalesce(fault, 'counted'),
        case when fault is null and not is_refund(event_type) then index_key(order_id) end,
        currency,
        amount,
        lines
    from read_sale(properties, is_refund(event_type))
$$;

-- An order or a refund that is new.
create type new_sale as (
    site_id    varchar(255) collate "C",
    event_id   uuid,
    event_time timestamptz,
    event_type varchar(100) collate "C",
    properties jsonb
);

-- What becomes of one. times: how often it is to be counted as that: once, or -1 times for what is taken back.
create type judged_sale as (
    site_id    varchar(255) collate "C",
    event_id   uuid,
    event_time timestamptz,
    day        date,
    what       text collate "C",
    outcome    text collate "C",
    currency   text collate "C",
    amount     numeric,
    lines      jsonb,
    times      integer
);

-- Add orders and refunds that are new to the rollups. Their sites are locked by the caller.
--
-- Where one of them comes before the event by which its order was counted, that is taken back. It is there to be read:
-- what is stored is later than all that is no longer kept.
create function add_sales(sent new_sale[]) returns void
language plpgsql
as $$
declare
    changes judged_sale[];
    replaced judged_sale[];
    one judged_sale;
begin
    with judged as materialized (
        select s.site_id, s.event_id, s.event_time, (s.event_time at time zone z.timezone)::date as day, j.*
        from unnest(sent) s
        join sites z on z.site_id = s.site_id
        cross join lateral judge_sale(s.event_type, s.properties) j
    ),
    firsts as materialized (
        select distinct on (site_id, order_key) site_id, order_key, event_time, event_id
        from judged
        where order_key is not null
        order by site_id, order_key, event_time, event_id
    ),
    known as materialized (
        select o.site_id, o.order_key, o.event_time, o.event_id
        from orders o
        join firsts f on f.site_id = o.site_id and f.order_key = o.order_key
    ),
    counting as materialized (
        select f.site_id, f.order_key, f.event_time, f.event_id, k.event_time as known_time, k.event_id as known_id
        from firsts f
        left join known k on k.site_id = f.site_id and k.order_key = f.order_key
        where k.order_key is null or (f.event_time, f.event_id) < (k.event_time, k.event_id)
    ),
    put as (
        insert into orders (site_id, order_key, event_time, event_id)
        select site_id, order_key, event_time, event_id
        from counting
        on conflict (site_id, order_key) do update set event_time = excluded.event_time, event_id = excluded.event_id
    )
    select
        (
            select array_agg((
                j.site_id, j.event_id, j.event_time, j.day, j.what,
                case when j.order_key is null or c.order_key is not null then j.outcome else 'repeated' end,
                j.currency, j.amount, j.lines, 1
            )::judged_sale)
            from judged j
            left join counting c on c.site_id = j.site_id and c.event_id = j.event_id and c.event_time = j.event_time
        ),
        (
            select array_agg((c.site_id, c.known_id, c.known_time, null, null, null, null, null, null, null)::judged_sale)
            from counting c
            where c.known_id is not null
        )
    into changes, replaced;

    for one in
        select r.* from unnest(replaced) r
    loop
        changes := changes || array(
            select (
                e.site_id, e.event_id, e.event_time, (e.event_time at time zone z.timezone)::date, j.what,
                new.outcome, j.currency, j.amount, j.lines, new.times
            )::judged_sale
            from events e
            join sites z on z.site_id = e.site_id
            cross join lateral judge_sale(e.event_type, e.properties) j
            cross join (values ('counted', -1), ('repeated', 1)) new (outcome, times)
            where e.site_id = one.site_id and e.event_id = one.event_id and e.event_time = one.event_time
        );
    end loop;

    with sales as materialized (
        select * from unnest(changes)
    ),
    bought as materialized (
        select s.site_id, s.day, s.event_id, s.event_time, s.currency, s.times, l.*
        from sales s
        cross join lateral read_lines(s.lines) l
        where s.what = 'order' and s.outcome = 'counted'
    ),
    put_days as (
        insert into sale_days (site_id, day, what, outcome, currency, events, amount)
        select
            site_id, day, what, outcome, case when outcome = 'counted' then currency else '' end,
            sum(times), sum(case when outcome = 'counted' then times * amount else 0 end)
        from sales
        group by 1, 2, 3, 4, 5
        union all
        select site_id, day, 'product', fault, '', sum(times), 0
        from bought
        where fault is not null
        group by site_id, day, fault
        on conflict (site_id, day, what, outcome, currency) do update set
            events = sale_days.events + excluded.events,
            amount = sale_days.amount + excluded.amount
    )
    insert into product_days (site_id, day, currency, product_key, product, name, orders, quantity, revenue)
    select
        site_id, day, currency, index_key(jsonb_build_array(product, name)::text), product, name,
        sum(times), sum(times * quantity), sum(times * revenue)
    from (
        select
            site_id, day, currency, times, product collate "C" as product, max(name collate "C") as name,
            sum(quantity) as quantity, sum(revenue) as revenue
        from bought
        where fault is null
        group by site_id, day, event_id, event_time, currency, times, product collate "C"
    ) of_orders
    group by site_id, day, currency, product, name
    on conflict (site_id, day, currency, product_key) do update set
        orders = product_days.orders + excluded.orders,
        quantity = product_days.quantity + excluded.quantity,
        revenue = product_days.revenue + excluded.revenue;

    for one in
        select c.* from unnest(changes) c where c.times < 0
    loop
        delete from sale_days s where s.site_id = one.site_id and s.day = one.day and s.events = 0;
        delete from product_days p where p.site_id = one.site_id and p.day = one.day and p.orders = 0;
    end loop;
end
$$;

-- Which events of a site's orders differ from what its events say? Where that of the rollup is no longer kept, it is right.
create function different_orders(site varchar)
returns table (order_key text, says_time timestamptz, says_id uuid, event_time timestamptz, event_id uuid)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    kept_from timestamptz := (select coalesce(s.events_from, '-infinity') from sites s where s.site_id = site);
begin
    return query
    select coalesce(o.order_key, f.order_key), o.event_time, o.event_id, f.event_time, f.event_id
    from (
        select order_key, event_time, event_id from orders where site_id = site
    ) o
    full join (
        select distinct on (j.order_key) j.order_key collate "C" as order_key, e.event_time, e.event_id
        from events e
        cross join lateral judge_sale(e.event_type, e.properties) j
        where e.site_id = site and e.event_time >= kept_from and is_sale(e.event_type) and j.order_key is not null
        order by j.order_key, e.event_time, e.event_id
    ) f on f.order_key = o.order_key
    where (o.event_time >= kept_from or o.event_time is null)
        and (o.event_time, o.event_id) is distinct from (f.event_time, f.event_id);
end
$$;

-- What became of the orders and refunds of these days, as the events and the orders that count say; see different_path_days.
create function judged_sales(site varchar, first_day date, last_day date) returns setof judged_sale
language plpgsql stable
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select
        e.site_id, e.event_id, e.event_time, (e.event_time at time zone zone)::date, j.what,
        case
            when j.order_key is not null and (o.event_time, o.event_id) is distinct from (e.event_time, e.event_id)
                then 'repeated'
            else j.outcome
        end,
        j.currency, j.amount, j.lines, 1
    from events e
    cross join lateral judge_sale(e.event_type, e.properties) j
    left join orders o on o.site_id = site and o.order_key = j.order_key
    where e.site_id = site
        and e.event_time >= first_day::timestamp at time zone zone - interval '3 hours'
        and e.event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
        and (e.event_time at time zone zone)::date between first_day and last_day
        and is_sale(e.event_type);
end
$$;

create function different_sale_days(site varchar, first_day date, last_day date)
returns table (
    day date, what text, outcome text, currency text,
    says bigint, says_amount numeric, should bigint, amount numeric
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    with sales as materialized (
        select * from judged_sales(site, first_day, last_day)
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

create function different_product_days(site varchar, first_day date, last_day date)
returns table (
    day date, currency text, product_key text, product text, name text,
    says bigint, says_quantity numeric, says_revenue numeric, should bigint, quantity numeric, revenue numeric
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
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
            from judged_sales(site, first_day, last_day) j
            cross join lateral read_lines(j.lines) l
            where j.what = 'order' and j.outcome = 'counted' and l.fault is null
            group by j.day, j.event_id, j.event_time, j.currency, l.product collate "C"
        ) of_orders
        group by day, currency, product, name
    ) r on r.day = s.day and r.currency = s.currency and r.product_key = s.product_key
    where (s.product, s.name, s.orders, s.quantity, s.revenue)
        is distinct from (r.product, r.name, r.orders, r.quantity, r.revenue);
end
$$;

-- Make the events by which a site's orders count what its events say. All days must be rebuilt after that. Returns how many
-- were not right.
create function rebuild_orders(site varchar, out corrected bigint)
language plpgsql
as $$
begin
    perform from sites s where s.site_id = site for update;

    with different as materialized (
        select * from different_orders(site)
    ),
    surplus as materialized (
        select order_key from different where event_id is null
    ),
    gone as (
        delete from orders o
        using surplus s
        where o.site_id = site and o.order_key = s.order_key
    ),
    put as (
        insert into orders (site_id, order_key, event_time, event_id)
        select site, order_key, event_time, event_id from different where event_id is not null
        on conflict (site_id, order_key) do update set event_time = excluded.event_time, event_id = excluded.event_id
    )
    select count(*) into corrected from different;
end
$$;

-- Make sale_days and product_days of these days what the events say; see rebuild_days.
create function rebuild_sales(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
as $$
begin
    perform from sites s where s.site_id = site for update;

    with different as materialized (
        select * from different_sale_days(site, first_day, last_day)
    ),
    surplus as materialized (
        select day, what, outcome, currency from different where should is null
    ),
    gone as (
        delete from sale_days d
        using surplus s
        where d.site_id = site and d.day between first_day and last_day
            and d.day = s.day and d.what = s.what and d.outcome = s.outcome and d.currency = s.currency
    ),
    put as (
        insert into sale_days (site_id, day, what, outcome, currency, events, amount)
        select site, day, what, outcome, currency, should, amount from different where should is not null
        on conflict (site_id, day, what, outcome, currency) do update set
            events = excluded.events,
            amount = excluded.amount
    )
    select count(*) into corrected from different;

    with different as materialized (
        select * from different_product_days(site, first_day, last_day)
    ),
    surplus as materialized (
        select day, currency, product_key from different where should is null
    ),
    gone as (
        delete from product_days p
        using surplus s
        where p.site_id = site and p.day between first_day and last_day
            and p.day = s.day and p.currency = s.currency and p.product_key = s.product_key
    ),
    put as (
        insert into product_days (site_id, day, currency, product_key, product, name, orders, quantity, revenue)
        select site, day, currency, product_key, product, name, should, quantity, revenue
        from different
        where should is not null
        on conflict (site_id, day, currency, product_key) do update set
            product = excluded.product,
            name = excluded.name,
            orders = excluded.orders,
            quantity = excluded.quantity,
            revenue = excluded.revenue
    )
    select corrected + count(*) into corrected from different;
end
$$;

-- As for the other recounts (0010): never by the square of the rows. Orders are looked up by their key, where they are few.
alter function judged_sales(varchar, date, date) set enable_nestloop = on;
alter function different_orders(varchar) set enable_nestloop = off;
alter function different_sale_days(varchar, date, date) set enable_nestloop = off;
alter function different_product_days(varchar, date, date) set enable_nestloop = off;

-- What is there already. Of days whose events are no longer kept there is nothing to count.
do $$
declare
    site varchar(255);
begin
    for site in
        select site_id from sites order by site_id
    loop
        perform rebuild_orders(site);
        perform rebuild_sales(site, '-infinity', 'infinity');
        update sites s
        set sales_from = k.first_kept::timestamp at time zone k.timezone
        from kept_days k
        where s.site_id = site and k.site_id = site;
    end loop;
end
$$;

-- How many events of a batch arrived for a site on a day (UTC), new or not.
create type received_day as (
    site_id varchar(255) collate "C",
    day     date,
    events  bigint
);

-- As before (0004), but a site that is there is locked without being written anew: each site by itself, so that on Citus
-- each of these goes to one shard.
create or replace function lock_sites(sites text[]) returns void
language plpgsql
as $$
declare
    site varchar(255);
begin
    for site in
        select distinct site_id collate "C"
        from unnest(sites) site_id
        order by 1
    loop
        perform from sites s where s.site_id = site for update;
        if not found then
            insert into sites (site_id) values (site)
            on conflict (site_id) do update set users = sites.users;
        end if;
    end loop;
end
$$;

-- Store a batch of events: those that are new are inserted, and every rollup and the count of what became of them is
-- computed from those rows only, so that an event sent twice counts once. Sites are locked only once the events are in
-- their table, so that half of a flush need not wait for another one.
--
-- Its statements are planned once a connection, for any batch: left to itself PostgreSQL plans the first five on each
-- connection anew, with the batch as a constant in every plan, which doubles the CPU that the whole flush takes. As it
-- cannot know how large batches are, it must not merge them by their sites alone.
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
            f.event_time < s.sessions_until or (f.event_time at time zone s.timezone)::date < s.path_spans_until as is_late
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

    for late in
        select f.site_id, array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where f.event_time < s.sessions_until
        group by f.site_id
    loop
        perform add_to_sessions(late.site_id, 'infinity', 'infinity', late.events);
    end loop;
end
$$;
