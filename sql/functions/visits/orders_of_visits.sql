-- The orders of the visits that begin in a range: of each such visit how many there are, how many in the currency
-- `money`, and their sum. newest: sessions with the events that the rollup does not have yet (open_sessions).
create or replace function orders_of_visits(
    site varchar, range_start timestamptz, range_end timestamptz, newest sessions[], money text
)
returns table (
    user_id varchar, began timestamptz, entry_page text, exit_page text, agent_number bigint, origin_number bigint,
    is_new boolean, orders bigint, paid bigint, revenue numeric
)
language plpgsql stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    orders_end timestamptz;
begin
    -- The last visits may go on after the range; few for long.
    orders_end := greatest(
        range_end + interval '2 hours',
        (
            select max(s.ended)
            from sessions s
            where s.site_id = site and s.ended - s.began > interval '2 hours' and s.ended >= range_end
                and s.began < range_end
        ) + interval '1 microsecond',
        (select max(o.ended) from unnest(newest) o where o.began < range_end) + interval '1 microsecond'
    );
    return query
    with asked as materialized (
        select event_time, event_id, user_id, currency, amount
        from counted_orders
        where site_id = site and user_id is not null and event_time >= range_start and event_time < orders_end
    ),
    -- A stored session may go on in one of the newest, which then is the visit.
    placed as (
        select a.*, s.began, s.entry_page, s.exit_page, s.agent_number, s.origin_number, s.is_new
        from asked a
        cross join lateral (
            select began, ended, entry_page, exit_page, agent_number, origin_number, is_new
            from sessions
            where site_id = site and user_id = a.user_id and began <= a.event_time
            order by began desc
            limit 1
        ) s
        where s.ended >= a.event_time
            and (a.user_id, s.began) not in (select o.user_id, o.began from unnest(newest) o)
        union all
        select a.*, o.began, o.entry_page, o.exit_page, o.agent_number, o.origin_number, o.is_new
        from asked a
        join unnest(newest) o on o.user_id = a.user_id and a.event_time between o.began and o.ended
    )
    select
        user_id, began, entry_page, exit_page, agent_number, origin_number, is_new, count(*), count(*) filter (where currency = money),
        coalesce(sum(amount) filter (where currency = money), 0)
    from placed
    where began >= range_start and began < range_end
    group by user_id, began, entry_page, exit_page, agent_number, origin_number, is_new;
end
$$;
