-- The visits of a site that begin in a range and match the filters (text_matches, by dimension): by the values of a
-- dimension (null: all in one), and by day, week, ... of zone (step; null: all in one).
--
-- money: the currency of `paid` orders and their revenue; counts_people: whether to count people. A visit is a session;
-- those that the rollup does not have yet are counted from the events. A visit's orders are those of its person while it
-- lasts. value: empty where there is none.
create or replace function count_visits(
    site varchar, range_start timestamptz, range_end timestamptz, filters jsonb, dimension text, step text, zone text,
    money text, counts_people boolean
)
returns table (
    value text, at timestamptz, visits bigint, people bigint, events bigint, views bigint, bounces bigint, carts bigint,
    checkouts bigint, converted bigint, orders bigint, paid bigint, revenue numeric
)
language plpgsql stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    covered timestamptz;
    newest sessions[];
    sold visit_orders[];
    agents_listed bigint[];
    agents_but boolean;
    origins_listed bigint[];
    origins_but boolean;
    numbers bigint[];
    names text[];
    of_agent constant boolean := dimension = any ('{country,device,browser,os,language}');
    of_origin constant boolean := dimension = any ('{source,medium,campaign,term,content,referrer,channel}');
begin
    select o.covered_until, o.open into covered, newest from open_sessions(site, range_end, '-infinity') o;
    if covered is null then
        return;
    end if;
    select m.numbers, m.but into agents_listed, agents_but from agents_to_match(site, filters) m;
    select m.numbers, m.but into origins_listed, origins_but from origins_to_match(site, filters) m;
    select array_agg(k.number order by k.number), array_agg(k.value order by k.number)
    into numbers, names
    from known_values(site, dimension) k;
    sold := array(
        select (
            o.user_id, o.began, o.entry_page, o.exit_page, o.agent_number, o.origin_number, o.is_new, o.orders, o.paid,
            o.revenue
        )::visit_orders
        from orders_of_visits(site, range_start, range_end, newest, money) o
    );
    return query
    with found as (
        select
            user_id, began, entry_page, exit_page, agent_number, origin_number, is_new, 1 as visits, events, views, carts,
            checkouts, null::integer as orders, null::integer as paid, null::numeric as revenue
        from sessions
        where site_id = site and began >= range_start and began < range_end
            and not (
                ended > covered - interval '30 minutes'
                and (user_id, began) in (select o.user_id, o.began from unnest(newest) o)
            )
        union all
        select
            user_id, began, entry_page, exit_page, agent_number, origin_number, is_new, 1, events, views, carts, checkouts,
            null, null, null
        from unnest(newest)
        where began >= range_start and began < range_end
        union all
        -- The same visits again, with their orders: few have any, and no visit needs to be looked up for them.
        select
            user_id, began, entry_page, exit_page, agent_number, origin_number, is_new, 0, 0, 0, 0, 0, orders::integer, paid::integer,
            revenue
        from unnest(sold)
    ),
    named as (
        select number, value from unnest(numbers, names) n (number, value)
    ),
    matching as not materialized (
        select
            f.*, date_trunc(step, f.began, zone) as at,
            case
                when of_agent or of_origin then coalesce(n.value, '(other)')
                when dimension = 'landing' then f.entry_page
                when dimension = 'exit' then f.exit_page
                when dimension = 'new' then f.is_new::text
                else ''
            end collate "C" as value
        from found f
        left join named n on n.number = coalesce(case when of_agent then f.agent_number else f.origin_number end, 0)
        where (agents_listed is null or (coalesce(f.agent_number, 0) = any (agents_listed)) <> agents_but)
            and (origins_listed is null or (coalesce(f.origin_number, 0) = any (origins_listed)) <> origins_but)
            and text_matches(f.entry_page, filters -> 'landing')
            and text_matches(f.exit_page, filters -> 'exit')
            and text_matches(f.is_new::text, filters -> 'new')
    ),
    -- Their own way: rows that have a person as well are many times as many.
    persons as (
        select value, at, count(*) as people
        from (select distinct value, at, user_id from matching where counts_people) m
        group by value, at
    ),
    counted as (
        select
            value, at, sum(visits) as visits, sum(events) as events, sum(views) as views,
            count(*) filter (where events = 1) as bounces, sum(carts) as carts, sum(checkouts) as checkouts,
            count(orders) as converted, coalesce(sum(orders), 0) as orders, coalesce(sum(paid), 0) as paid,
            coalesce(sum(revenue), 0) as revenue
        from matching
        group by value, at
    )
    select
        c.value, c.at, c.visits, coalesce(p.people, 0), c.events, c.views, c.bounces, c.carts, c.checkouts, c.converted,
        c.orders, c.paid, c.revenue
    from counted c
    left join persons p on p.value = c.value and p.at is not distinct from c.at;
end
$$;
