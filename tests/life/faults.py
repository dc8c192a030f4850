"""Faults that the simulation has to find, put back on purpose: four of the version before, two of a site's retention,
one late event that is lost, and one that is doubled. `queries = put_back(conn, "retention")`
"""

from typing import Any, NamedTuple

from psycopg import Connection

from db.queries import QUERIES


class Fault(NamedTuple):
    """Texts to be replaced, each with another, in a function of the schema or a query of sql/."""

    where: str
    changes: list[tuple[str, str]]


MARK_MOVES_BACK = """
    delete from top_paths t where t.site_id = site and t.day = any (days);
    update sites s
    set top_paths_until = least(s.top_paths_until, (select min(day) from unnest(days) day))
    where s.site_id = site;
    return;
"""
WRITTEN_ROWS_STAY = """
    if exists (select 1 from top_paths t where t.site_id = site and t.day = some_day and not t.outdated) then
        written := false;
        return;
    end if;
"""

FAULTS: dict[str, list[Fault]] = {
    # Partitions are dropped before it was said that their events are no longer kept: least() ignores nulls.
    "retention": [
        Fault(
            "drop_oldest_partition",
            [
                (
                    "where p.ends <= bound and p.ends <= moment",
                    "where p.ends <= least(bound, (select min(least(sessions_until, user_months_until)) from sites))",
                ),
                ("(all_sites > 0 and done = all_sites or is_empty) is not true", "false"),
                ("if done < all_sites then", "if false then"),
            ],
        )
    ],
    # What comes late for a time of which a site's events were deleted is stored, and perhaps counted again.
    "a site's retention": [Fault("add_to_days", [("if refused is not null then", "if false then")])],
    # A site's timezone is changed as if all of its events in the partitions were still there.
    "a site's deleted days": [
        Fault("set_timezone", [("greatest(deleted_until, least(", "greatest(null, least(")]),
    ],
    # The mark of top_paths moves back over days that have rows, and these are taken for right when it comes again.
    "top paths": [
        Fault("forget_top_paths", [("begin\n", f"begin\n{MARK_MOVES_BACK}")]),
        Fault("write_top_paths", [("begin\n", f"begin\n{WRITTEN_ROWS_STAY}")]),
    ],
    # An id with another time is another event.
    "ids": [
        Fault("insert_new_events", [("looks_up boolean := false;", "looks_up boolean := true;")]),
        Fault(
            "insert_events",
            [
                (
                    "select f.* from firsts f join claimed c on c.site_id = f.site_id and c.event_id = f.event_id",
                    "select * from of_people where id_made is not true",
                )
            ],
        ),
    ],
    # What a user did in several months is put together in the order in which the planner leaves it: here the worst one,
    # as which it is depends on the statistics of the moment.
    "funnel": [
        Fault(
            "reports/funnel_from_rollup",
            [
                ("concat_kinds(kinds order by month)", "concat_kinds(kinds order by month desc)"),
                ("concat_moments(moments order by month)", "concat_moments(moments order by month desc)"),
                ("        select * from fresh\n", "        select * from fresh\n        order by month\n"),
            ],
        )
    ],
    # A visitor becomes a user, and stays one in funnels, or in bitmaps, or in the number of users.
    "a visitor's months stay": [Fault("move_visitors", [("perform move_user_months(", "perform concat(")])],
    "a visitor's bits stay": [
        Fault("move_numbers", [("perform move_bits(site, merged.user_no, to_no, days)", "null")])
    ],
    "a visitor's number counts": [Fault("move_numbers", [("vacant := vacant + 1", "null")])],
    # The first of two logins of a shared device is not the one that counts.
    "another login counts": [
        Fault("link_visitors", [("s.event_time, s.user_id\n", "s.event_time desc, s.user_id desc\n")])
    ],
    "a late event is lost": [
        Fault("add_late_events", [("perform add_to_user_spans(fresh)", "perform add_to_user_spans(fresh[2:])")])
    ],
    "a late event is doubled": [
        Fault(
            "add_late_events", [("perform add_to_path_spans(fresh)", "perform add_to_path_spans(fresh || fresh[1:1])")]
        )
    ],
}


def put_back(conn: Connection[Any], name: str | None) -> dict[bytes, bytes]:
    """Put a fault back into a migrated database (None: no fault); returns what is to be run instead of some queries."""
    queries: dict[bytes, bytes] = {}
    for fault in FAULTS[name] if name else []:
        if "/" in fault.where:
            right = QUERIES[fault.where]
            queries[right] = _changed(right.decode(), fault).encode()
        else:
            query = "select pg_get_functiondef(oid) from pg_proc where proname = %s"
            (text,) = conn.execute(query, [fault.where]).fetchone() or ("",)
            conn.execute(_changed(text, fault).encode())
    return queries


def _changed(text: str, fault: Fault) -> str:
    for old, new in fault.changes:
        assert old in text, f"{fault.where} is no longer as it was: {old}"
        text = text.replace(old, new)
    return text
