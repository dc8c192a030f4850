"""The rollups counted anew from the events: what they must equal."""

from tests.conftest import Connection

#: For each rollup, its rows as they are and as the events say they should be.
ROLLUPS = {
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
    "sessions": (
        "select site_id, user_id, began, ended, entry_page, exit_page, events::bigint, views::bigint from sessions",
        """
        select
            site_id, user_id, min(event_time), max(event_time),
            (array_agg(path order by event_time, path))[1], (array_agg(path order by event_time desc, path desc))[1],
            count(*), count(*) filter (where event_type = 'page_view')
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
    "users": (
        "select site_id, user_id from users",
        "select distinct site_id, user_id from events where user_id is not null",
    ),
    "sites": (
        "select site_id, users from sites",
        "select site_id, count(distinct user_id) from events group by 1",
    ),
    "user_no": (
        "select site_id, user_no from users",
        "select site_id, generate_series(0, users - 1) from sites",
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
            rows = conn.execute(query.encode(), {"sites": list(sites), "all": not sites}).fetchall()
        if rows:
            found[name] = rows
    return found
