"""Visits counted anew from the events: sessions, their sums, and whose orders count."""

from tests.oracles.judged_sales import JUDGED_SALES

#: The event types that put something into a cart, and those that begin to pay.
CARTS = "('Product Added', 'product_added', 'add_to_cart', 'AddToCart', 'product_added_to_cart')"
CHECKOUTS = "('Checkout Started', 'checkout_started', 'begin_checkout', 'InitiateCheckout')"
#: As ROLLUPS in tests/oracles/recount.py.
VISITS = {
    "sessions": (
        """
        select
            site_id, user_id, began, ended, entry_page, exit_page, events::bigint, views::bigint, agent_number,
            origin_number, carts::bigint, checkouts::bigint, is_new
        from sessions
        """,
        f"""
        select
            site_id, user_id, min(event_time), max(event_time),
            (array_agg(path order by event_time, path))[1], (array_agg(path order by event_time desc, path desc))[1],
            count(*), count(*) filter (where event_type = 'page_view'),
            (array_agg(agent_number order by event_time, path, agent_number, origin_number))[1],
            (array_agg(origin_number order by event_time, path, agent_number, origin_number))[1],
            count(*) filter (where event_type in {CARTS}), count(*) filter (where event_type in {CHECKOUTS}),
            min(event_time) = min(min(event_time)) over (partition by site_id, user_id)
        from (
            select *, sum(begins) over (partition by site_id, user_id order by event_time, path) as no
            from (
                select
                    e.*,
                    (e.event_time - lag(e.event_time) over users < interval '30 minutes' is not true)::integer as begins
                from events e join sites s using (site_id)
                where e.user_id is not null and e.event_time < s.sessions_until
                window users as (partition by e.site_id, e.user_id order by e.event_time, e.path)
            ) marked
        ) told_apart
        group by site_id, user_id, no
        """,
    ),
    "agents": (
        """
        select distinct site_id, agent_number from events e where agent_number is not null
        and not exists (select 1 from agents a where a.site_id = e.site_id and a.number = e.agent_number)
        """,
        "select site_id, number from agents where false",
    ),
    "origins": (
        """
        select distinct site_id, origin_number from events e where origin_number is not null
        and not exists (select 1 from origins o where o.site_id = e.site_id and o.number = e.origin_number)
        """,
        "select site_id, number from origins where false",
    ),
    "counted_orders": (
        "select site_id, event_time, event_id, user_id, currency, trim_scale(amount) from counted_orders",
        f"""
        select s.site_id, s.event_time, s.event_id, e.user_id, s.currency, trim_scale(s.amount)
        from ({JUDGED_SALES}) s
        join events e on e.site_id = s.site_id and e.event_id = s.event_id and e.event_time = s.event_time
        where s.what = 'order' and s.outcome = 'counted'
        """,
    ),
    "session_days": (
        """
        select site_id, day, seconds, sessions, bounces, views, length
        from session_days
        where (sessions, bounces, views, length) <> (0, 0, 0, interval '0')
        """,
        """
        select
            site_id, (began at time zone timezone)::date, floor(date_part('epoch', ended - began))::integer,
            count(*), count(*) filter (where events = 1), sum(views), sum(ended - began)
        from sessions join sites using (site_id) group by 1, 2, 3
        """,
    ),
    "session_page_days": (
        """
        select site_id, day, path, 'entries', entries from session_page_days where entries <> 0
        union all
        select site_id, day, path, 'exits', exits from session_page_days where exits <> 0
        """,
        """
        select site_id, (began at time zone timezone)::date, entry_page, 'entries', count(*)
        from sessions join sites using (site_id)
        group by 1, 2, 3
        union all
        select site_id, (began at time zone timezone)::date, exit_page, 'exits', count(*)
        from sessions join sites using (site_id)
        group by 1, 2, 3
        """,
    ),
}
