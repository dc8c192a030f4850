"""The rollups counted anew from the events: what they must equal."""

from tests.citus.cluster import copy_from_nodes
from tests.conftest import Connection
from tests.oracles.judged_sales import JUDGED_SALES, SALES
from tests.oracles.recounted_visits import VISITS

#: The month and the sixth of it that `day` is in.
SPANS = """
    cross join lateral (select date_trunc('month', day::timestamp) as month) begun
    join lateral (
        select month as first_day, month + interval '1 month' as end_day
        union all
        select month + make_interval(days => n), month + make_interval(days => n + 5)
        from unnest(array[0, 5, 10, 15, 20]) n
        union all
        select month + interval '25 days', month + interval '1 month'
    ) span on day >= span.first_day and day < span.end_day
"""
#: For each rollup, its rows as they are and as the events say they should be.
ROLLUPS = {
    **VISITS,
    "event_hours": (
        "select site_id, event_type, hour, events, anonymous from event_hours",
        """
        select
            e.site_id, e.event_type, date_trunc('hour', e.event_time, s.timezone), count(*),
            count(*) filter (where e.user_id is null)
        from events e join sites s using (site_id)
        group by 1, 2, 3
        """,
    ),
    "path_days": (
        "select site_id, event_type, day, path, events from path_days",
        """
        select e.site_id, e.event_type, (e.event_time at time zone s.timezone)::date, e.path, count(*)
        from events e join sites s using (site_id)
        group by 1, 2, 3, 4
        """,
    ),
    "path_spans": (
        "select site_id, first_day, end_day, event_type, path, events from path_spans",
        f"""
        select e.site_id, span.first_day::date, span.end_day::date, e.event_type, e.path, count(*)
        from events e join sites s using (site_id)
        cross join lateral (select (e.event_time at time zone s.timezone)::date as day) local
        {SPANS}
        where day < s.path_spans_until
        group by 1, 2, 3, 4, 5
        """,
    ),
    "top_paths": (
        "select site_id, day, events, paths, top_paths, top_events from top_paths where not outdated",
        """
        select
            site_id, day, sum(c.events)::bigint, count(*), (array_agg(path order by c.events desc, path))[:1000],
            (array_agg(c.events order by c.events desc, path))[:1000]
        from (
            select site_id, (event_time at time zone timezone)::date as day, path, count(*) as events
            from events join sites using (site_id) group by 1, 2, 3
        ) c join sites s using (site_id) left join top_paths t using (site_id, day)
        where day < s.top_paths_until and t.outdated is not true group by 1, 2
        """,
    ),
    "path_totals": (
        "select site_id, event_type, path, events from path_totals",
        """
        select e.site_id, e.event_type, e.path, count(*)
        from events e join sites s using (site_id)
        where (e.event_time at time zone s.timezone)::date < s.path_spans_until group by 1, 2, 3
        """,
    ),
    "event_totals": (
        "select site_id, event_type, events, anonymous, first_hour, last_hour from event_totals",
        """
        select site_id, event_type, count(*), count(*) - count(user_id), min(hour), max(hour)
        from (
            select e.*, s.timezone, s.path_spans_until, date_trunc('hour', e.event_time, s.timezone) as hour
            from events e join sites s using (site_id)
        ) placed
        where (hour at time zone timezone)::date < path_spans_until
        group by 1, 2
        """,
    ),
    "user_days": (
        """
        select site_id, day, event_type, chunk * 8192 + bit
        from user_days, generate_series(0, 8191) bit
        where get_bit(users, bit) = 1
        """,
        """
        select distinct e.site_id, (e.event_time at time zone s.timezone)::date, e.event_type, u.user_no
        from events e join sites s using (site_id) join users u using (site_id, user_id)
        """,
    ),
    "user_spans": (
        """
        select site_id, first_day, end_day, event_type, chunk * 8192 + bit
        from user_spans, generate_series(0, 8191) bit
        where get_bit(users, bit) = 1
        """,
        f"""
        select distinct e.site_id, span.first_day::date, span.end_day::date, kind.event_type, u.user_no
        from events e join sites s using (site_id) join users u using (site_id, user_id)
        cross join lateral (select (e.event_time at time zone s.timezone)::date as day) local
        {SPANS}
        cross join lateral (values (''), (e.event_type)) kind (event_type)
        where span.end_day <= s.user_spans_until
        union
        select distinct e.site_id, day, day + 1, '', u.user_no
        from events e join sites s using (site_id) join users u using (site_id, user_id)
        cross join lateral (select (e.event_time at time zone s.timezone)::date as day) local
        where day < s.user_spans_until
        """,
    ),
    "user_months": (
        """
        select m.site_id, m.user_id, t.event_type, u.moment, count(*)
        from user_months m, unnest(m.moments) with ordinality u (moment, place), event_types t
        where t.site_id = m.site_id and t.number = get_byte(m.kinds, u.place::integer - 1)
            and u.moment >= m.month and u.moment < m.month + interval '1 month'
        group by 1, 2, 3, 4
        """,
        """
        select e.site_id, e.user_id, e.event_type, e.event_time, count(*)
        from events e join sites s using (site_id)
        where e.user_id is not null and e.event_time < s.user_months_until
        group by 1, 2, 3, 4
        """,
    ),
    "orders": (
        "select site_id, order_key, event_time, event_id from orders",
        f"""
        select distinct on (site_id, order_id) site_id, index_key(order_id), event_time, event_id
        from ({SALES}) sales
        where order_id <> '' and what = 'order' and fault is null
        order by site_id, order_id, event_time, event_id
        """,
    ),
    "sale_days": (
        "select site_id, day, what, outcome, currency, events, trim_scale(amount) from sale_days",
        f"""
        select site_id, day, what, outcome, currency, count(*), trim_scale(sum(amount))
        from ({JUDGED_SALES}) sales
        group by 1, 2, 3, 4, 5
        union all
        select site_id, day, 'product', l.fault, '', count(*), 0
        from ({JUDGED_SALES}) sales, read_lines(lines) l
        where l.fault is not null
        group by 1, 2, 3, 4, 5
        """,
    ),
    "product_days": (
        """
        select site_id, day, currency, product, name, orders, trim_scale(quantity), trim_scale(revenue)
        from product_days
        """,
        f"""
        select site_id, day, currency, product, name, count(*), trim_scale(sum(quantity)), trim_scale(sum(revenue))
        from (
            select site_id, day, currency, l.product, max(name collate "C") as name, sum(quantity) as quantity,
                sum(revenue) as revenue
            from ({JUDGED_SALES}) sales, read_lines(lines) l
            where l.fault is null
            group by site_id, event_id, event_time, day, currency, l.product
        ) of_orders
        group by 1, 2, 3, 4, 5
        """,
    ),
    "users": (
        "select site_id, user_id from users",
        "select distinct site_id, user_id from events where user_id is not null",
    ),
    "sites": (
        "select s.site_id, s.users from sites s join users u on u.site_id = s.site_id and u.user_no >= s.users",
        "select site_id, users from sites where false",
    ),
    "user_no": (
        "select site_id, count(*) from users group by 1",
        "select site_id, count(distinct user_no) from users group by 1",
    ),
}


def differences(conn: Connection, *sites: str) -> dict[str, list[tuple[object, ...]]]:
    """Rows that a rollup has and should not have, or should have and has not, of these sites (of all without any)."""
    found = {}
    for name, (actual, expected) in ROLLUPS.items():
        # What is put together here are the constants above.
        query = f"""
            with actual as materialized (select * from ({actual}) a where site_id = any(%(sites)s) or %(all)s),
            expected as materialized (select * from ({expected}) e where site_id = any(%(sites)s) or %(all)s)
            (table actual except table expected) union all (table expected except table actual)
        """
        with conn.transaction():
            # Tables that were just filled have no statistics, by which loops in loops would seem fast.
            conn.execute("set local enable_nestloop = off")
            copy_from_nodes(conn)
            rows = conn.execute(query.encode(), {"sites": list(sites), "all": not sites}).fetchall()
        if rows:
            found[name] = rows
    return found
