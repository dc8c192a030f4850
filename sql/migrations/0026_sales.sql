-- Revenue: "else" means missing, null, empty or blank text, and empty list or object alike; products may be JSON as text; a
-- currency is put in capitals whatever the database's collation. Days and hours: clocks that are set back by other than an
-- hour, or just after midnight.

-- A JSON value that says something; null for one that is missing, null, empty or blank text, or an empty list or object.
-- (What counts as blank is the same in Python: its str.strip.)
create function given(value jsonb) returns jsonb
language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'number' then value
    when 'string' then case
        -- Nearly all begin with a letter of ASCII's or a digit.
        when (value #>> '{}') collate "C" >= '!' and (value #>> '{}') collate "C" < U&'\0080' then value
        when btrim(
            value #>> '{}',
            U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006'
                '\2007\2008\2009\200A\2028\2029\202F\205F\3000'
        ) <> '' then value
    end
    when 'object' then nullif(value, '{}')
    when 'array' then nullif(value, '[]')
    when 'null' then null
    else value
end;

-- The same of a member of an object, as text. given_as: the member as text already, which mostly settles it: only what
-- begins as a blank, a list or an object can be none.
create function given_text(given_as text, holder jsonb, name text) returns text
language sql immutable parallel safe
return case
    when given_as collate "C" >= '!' and given_as collate "C" < '[' or given_as collate "C" >= 'a' and given_as collate "C" < '{'
        then given_as
    when given_as is not null then given(holder -> name) #>> '{}'
end;

-- The id of an order, as its properties give it.
create function given_order_id(properties jsonb) returns text
language sql immutable parallel safe
return coalesce(
    given_text(properties ->> 'order_id', properties, 'order_id'),
    given_text(properties ->> 'transaction_id', properties, 'transaction_id')
);

-- A list that is written as JSON in a text, or null where the text is no such thing. It never fails, and needs no exception
-- for that, with which no query could be parallel: texts and numbers become one token each, then lists and objects too, the
-- innermost first. If one is left it is JSON. (Lists in lists more than 20 deep are not read.)
create function json_list(given text) returns jsonb
language plpgsql immutable strict parallel safe
as $$
declare
    rest     text collate "C" := given;
    shorter  text collate "C";
    scalar   constant text := '(?:""|0|true|false|null|\[\])';
    gap      constant text := '[ \t\n\r]*';
    elements constant text := scalar || '(?:' || gap || ',' || gap || scalar || ')*';
    member   constant text := '""' || gap || ':' || gap || scalar;
    members  constant text := member || '(?:' || gap || ',' || gap || member || ')*';
begin
    if rest !~ ('^' || gap || '\[') then
        return null;
    end if;
    -- Without U+0000 and halves of surrogate pairs, which jsonb refuses.
    rest := regexp_replace(
        rest,
        '"(?:[^"\\\x01-\x1f]|\\["\\/bfnrt]|\\u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}'
            || '|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*"',
        '""', 'g'
    );
    rest := regexp_replace(rest, '-?(?:0|[1-9][0-9]{0,99})(?:[.][0-9]{1,99})?(?:[eE][+-]?[0-9]{1,3})?', '0', 'g');
    for depth in 1..20 loop
        shorter := regexp_replace(
            rest, '\[' || gap || '(?:' || elements || ')?' || gap || '\]|\{' || gap || '(?:' || members || ')?' || gap || '\}',
            '[]', 'g'
        );
        exit when shorter = rest;
        rest := shorter;
    end loop;
    return case when rest ~ ('^' || gap || '\[\]' || gap || '$') then given::jsonb end;
end
$$;

-- What do an order's or a refund's properties say? fault: why it cannot be counted, or null. lines: its products, where
-- anything is given for them. Being one query, this and the next one become part of the query that calls them; `offset 0`
-- has what is above it computed once, however often it is used.
create or replace function read_sale(properties jsonb, is_refund boolean)
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
            case
                when currency_given collate "C" ~ '^ *[A-Za-z]{3} *$' then upper(btrim(currency_given) collate "C")
            end as currency,
            coalesce(given(products), given(items)) as lines
        from (
            select
                given_order_id(properties) as order_id,
                coalesce(
                    given(properties -> 'revenue'), given(properties -> 'total'), given(properties -> 'value')
                ) as amount_given,
                given_text(properties ->> 'currency', properties, 'currency') as currency_given,
                case jsonb_typeof(properties -> 'products')
                    when 'string' then coalesce(json_list(properties ->> 'products'), properties -> 'products')
                    else properties -> 'products'
                end as products,
                case jsonb_typeof(properties -> 'items')
                    when 'string' then coalesce(json_list(properties ->> 'items'), properties -> 'items')
                    else properties -> 'items'
                end as items
            offset 0
        ) given
        offset 0
    ) read
$$;

-- What do the entries of an order's products say? fault: why one cannot be counted, or null. What is given but is no list
-- is one entry.
create or replace function read_lines(lines jsonb)
returns table (product text, name text, quantity numeric, revenue numeric, fault text)
language sql immutable parallel safe
as $$
    select
        product,
        name,
        quantity,
        price * quantity,
        case
            when lines_type <> 'array' then 'products_invalid'
            when product is null then 'product_missing'
            when price is null or price < 0 then 'price_invalid'
            when quantity is null or quantity < 0 then 'quantity_invalid'
        end
    from (
        select
            lines_type,
            coalesce(
                given_text(product_id, line, 'product_id'), given_text(sku, line, 'sku'), given_text(item_id, line, 'item_id'),
                given_text(name, line, 'name'), given_text(item_name, line, 'item_name')
            ) as product,
            coalesce(given_text(name, line, 'name'), given_text(item_name, line, 'item_name')) as name,
            exact_number(price) as price,
            case when given(quantity) is null then 1 else exact_number(quantity) end as quantity
        from (
            select
                line,
                lines_type,
                line ->> 'product_id' as product_id,
                line ->> 'sku' as sku,
                line ->> 'item_id' as item_id,
                line ->> 'name' as name,
                line ->> 'item_name' as item_name,
                line -> 'price' as price,
                line -> 'quantity' as quantity
            from (select lines, jsonb_typeof(lines) as lines_type where lines is not null offset 0) whole
            cross join lateral jsonb_array_elements(case lines_type when 'array' then whole.lines else '[null]' end) line
            offset 0
        ) given
        offset 0
    ) read
$$;

-- When does a day begin? At its first midnight: where clocks are set back, by whatever, there may be two.
create or replace function midnight(some_day date, zone text) returns timestamptz
language plpgsql stable strict parallel safe
as $$
declare
    moment   timestamptz := some_day::timestamp at time zone zone;
    set_back interval := interval '6 hours' - ((moment at time zone zone) - ((moment - interval '6 hours') at time zone zone));
begin
    if set_back > interval '0' and ((moment - set_back) at time zone zone)::date = some_day then
        return moment - set_back;
    end if;
    return moment;
end
$$;

-- Does a day begin twice, with time of the day before in between? Where clocks are set back after midnight to before it, as
-- at 00:01 in St. John's until 2010.
create function begins_twice(some_day date, zone text) returns boolean
language plpgsql stable strict parallel safe
as $$
declare
    moment   timestamptz := midnight(some_day, zone);
    set_back interval := interval '6 hours' - (((moment + interval '6 hours') at time zone zone) - (moment at time zone zone));
begin
    return set_back > interval '0'
        and ((moment + set_back - interval '1 microsecond') at time zone zone)::date < some_day;
end
$$;

-- As before (0016), but what the rollups by hour and by day cannot tell apart does not fit them: a day that begins twice is
-- no range of time, and an hour of it may have events of two days; and a day may begin within an hour. Also the events of the
-- last hour are in the period `all`, where they are of a later day than the hour's begin.
create or replace function report_range(
    site varchar, present timestamptz, asked_zone text, from_day date, to_day date,
    from_moment timestamptz, to_moment timestamptz, period text,
    out timezone text, out site_timezone text, out first_day date, out end_day date,
    out starts timestamptz, out ends timestamptz, out hours_fit boolean, out days_fit boolean,
    out path_spans_until date, out user_spans_until date, out kept_from timestamptz
)
language plpgsql stable
as $$
#variable_conflict use_variable
declare
    today       date;
    events_from timestamptz;
begin
    select s.timezone, s.path_spans_until, s.user_spans_until, s.events_from
    into site_timezone, path_spans_until, user_spans_until, events_from
    from sites s
    where s.site_id = site;

    site_timezone := coalesce(site_timezone, 'UTC');
    timezone := coalesce(asked_zone, site_timezone);
    today := (present at time zone timezone)::date;

    first_day := case period
        when 'today' then today
        when 'yesterday' then today - 1
        when '7d' then today - 6
        when '28d' then today - 27
        when '30d' then today - 29
        when '91d' then today - 90
        when 'month' then date_trunc('month', today)::date
        when '6mo' then (date_trunc('month', today) - interval '5 months')::date
        when '12mo' then (date_trunc('month', today) - interval '11 months')::date
        when 'year' then date_trunc('year', today)::date
        when 'all' then today
        else from_day
    end;
    end_day := case
        when period = 'yesterday' then today
        when period is not null then today + 1
        when from_day is not null then coalesce(to_day, today + 1)
    end;
    if period = 'all' then
        select
            coalesce((min(h.hour) at time zone timezone)::date, today),
            greatest(today, ((max(h.hour) + interval '1 hour' - interval '1 microsecond') at time zone timezone)::date) + 1
        into first_day, end_day
        from event_hours h
        where h.site_id = site;
    end if;

    starts := coalesce(from_moment, midnight(first_day, timezone));
    ends := coalesce(to_moment, midnight(end_day, timezone));

    hours_fit := date_trunc('hour', starts, site_timezone) = starts and date_trunc('hour', ends, site_timezone) = ends;
    days_fit := hours_fit and first_day is not null and timezone = site_timezone
        and not begins_twice(first_day, timezone) and not begins_twice(end_day, timezone);
    if hours_fit and timezone <> site_timezone then
        -- Clocks are not changed twice in a day: what holds at both ends of it holds in between.
        hours_fit := not exists (
            select
            from (select generate_series(starts, ends, '24 hours') as moment union all select ends) moments
            where date_trunc('hour', moment, timezone) <> date_trunc('hour', moment, site_timezone)
        );
    end if;
    if hours_fit and timezone <> 'UTC' then
        -- Only in weeks in which clocks are set back is there such a day.
        hours_fit := not exists (
            select
            from generate_series(starts - interval '1 day', ends, '168 hours') moment
            cross join generate_series(0, 8) later
            where ((moment + interval '168 hours') at time zone timezone) - (moment at time zone timezone) < interval '7 days'
                and begins_twice((moment at time zone timezone)::date + later, timezone)
        );
    end if;
    path_spans_until := case when first_day is not null then greatest(first_day, path_spans_until) end;
    user_spans_until := case when first_day is not null then greatest(first_day, user_spans_until) end;

    if events_from > starts then
        perform
        from event_hours h
        where h.site_id = site
            and h.hour >= date_trunc('hour', starts, site_timezone) and h.hour < least(ends, events_from)
        limit 1;
        kept_from := case when found then events_from end;
    end if;
end
$$;

-- Orders and refunds that are there already are read once more, in each site by itself and day by day, as far as their events
-- are kept; older days stay. Whoever stores for a site waits for it. (By the functions that rebuild, this would not run on
-- Citus: no statement reads a table there and calls a function that reads one.)
do $$
declare
    site   record;
    of_day date;
    sales  judged_sale[];
begin
    for site in
        select s.site_id, s.timezone, coalesce(s.events_from, '-infinity') as events_from
        from sites s
        order by s.site_id
    loop
        perform 1 from sites s where s.site_id = site.site_id for update;

        delete from orders o where o.site_id = site.site_id and o.event_time >= site.events_from;
        insert into orders (site_id, order_key, event_time, event_id)
        select distinct on (j.order_key) e.site_id, j.order_key, e.event_time, e.event_id
        from events e
        cross join lateral judge_sale(e.event_type, e.properties) j
        where e.site_id = site.site_id and e.event_time >= site.events_from
            and is_sale(e.event_type) and j.order_key is not null
        order by j.order_key, e.event_time, e.event_id
        on conflict (site_id, order_key) do nothing;

        for of_day in
            select distinct (e.event_time at time zone site.timezone)::date
            from events e
            where e.site_id = site.site_id and e.event_time >= site.events_from and is_sale(e.event_type)
        loop
            -- None, of the day that has events which are no longer kept.
            sales := array(select j from judged_sales(site.site_id, of_day, of_day) j);
            continue when sales = '{}';

            delete from sale_days d where d.site_id = site.site_id and d.day = of_day;
            insert into sale_days (site_id, day, what, outcome, currency, events, amount)
            select
                site.site_id, of_day, s.what, s.outcome, case when s.outcome = 'counted' then s.currency else '' end,
                count(*), sum(case when s.outcome = 'counted' then s.amount else 0 end)
            from unnest(sales) s
            group by 3, 4, 5
            union all
            select site.site_id, of_day, 'product', l.fault, '', count(*), 0
            from unnest(sales) s
            cross join lateral read_lines(s.lines) l
            where s.what = 'order' and s.outcome = 'counted' and l.fault is not null
            group by l.fault;

            delete from product_days p where p.site_id = site.site_id and p.day = of_day;
            insert into product_days (site_id, day, currency, product_key, product, name, orders, quantity, revenue)
            select
                site.site_id, of_day, currency, index_key(jsonb_build_array(product, name)::text), product, name,
                count(*), sum(quantity), sum(revenue)
            from (
                select
                    s.currency, l.product collate "C" as product, max(l.name collate "C") as name,
                    sum(l.quantity) as quantity, sum(l.revenue) as revenue
                from unnest(sales) s
                cross join lateral read_lines(s.lines) l
                where s.what = 'order' and s.outcome = 'counted' and l.fault is null
                group by s.event_id, s.event_time, s.currency, l.product collate "C"
            ) of_orders
            group by currency, product, name;
        end loop;
    end loop;
end
$$;
