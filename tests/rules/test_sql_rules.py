"""Rules that all SQL keeps, by its text: nothing depends on an order that is not said, a null side, or a collation."""

import re
from pathlib import Path

from tests.checks.sql_text import Call, all_sql, calls, inside, queries, top_level
from tests.conftest import Connection

FUNCTIONS = Path(__file__).parents[2] / "sql" / "functions"
#: Aggregates whose answer depends on the order in which they meet their rows. Beside them: all of our own.
IN_ORDER = ["array_agg", "string_agg", "jsonb?_agg", "jsonb?_object_agg"]

#: Where that order does not matter: in what, the aggregate's first word, and why not.
SETS = {
    ("add_sales", "array_agg"): "changes are added up; products have their names by max()",
    ("add_to_path_spans", "array_agg"): "events are counted",
    ("add_to_user_spans", "array_agg"): "events are counted",
    ("add_to_sessions", "array_agg"): "they are ordered by the functions that take them",
    ("joined_sessions", "array_agg"): "they are ordered by the functions that take them",
    ("repeated_made_ids", "array_agg"): "they are looked for",
    ("counted_of_gone_events", "jsonb_agg"): "they are added up",
    ("rebuild_sessions", "array_agg"): "sessions are deleted and written",
    ("store_events", "array_agg"): "events are counted",
    ("insert_events", "array_agg"): "events are counted, and numbered in the order of their users",
    ("add_late_events", "array_agg"): "events are counted, and put in order",
    ("reports/open_sessions", "array_agg"): "sessions are counted",
    ("reports/funnel_months", "jsonb_object_agg"): "keys of a table: each is there once",
    ("reports/user", "jsonb_object_agg"): "keys of groups: each is there once",
}
#: What ends a total order: no two rows have the same, or the same after what is before it.
KEYS = {
    *(
        "event_id",
        "id",
        "user_id",
        "visitor_id",
        "site_id",
        "event_type",
        "order_key",
        "path",
        "entry_page",
        "exit_page",
        "pages",
        "value",
        "product",
        "no",
        "day",
    ),
    *("currency", "chunk", "seconds", "product_key"),
}
#: Orders that need not be total.
PARTIAL = {
    ("advance_sessions", "e.event_time"): "only the time is taken",
    ("advance_user_months", "e.event_time"): "only the time is taken",
    ("delete_oldest_events", "e.event_time"): "only the time is taken",
    ("drop_oldest_partition", "ends"): "partitions do not overlap",
    ("journeys_of_half", "began desc"): "sessions of one user do not overlap",
    ("journeys_of_half", "s.began order by v.event_time, v.path"): "only the path is taken",
    ("number_event_types", "number"): "each number is there once",
    ("orders_of_visits", "began desc"): "sessions of one user do not overlap",
    ("note_known", "s.number"): "each number is there once",
    ("lost_hours", ""): "any event, for the lock",
    ("partition_gaps", "p.starts"): "partitions do not overlap",
    ("ledger/event_status", "stored_at nulls last"): "one row an event, or one that says that there is none",
    ("reports/revenue_from_events", ""): "any numbers will do that differ",
    ("reports/sessions_by_days", "length"): "only the length is taken",
    ("report_range", ""): "is there any?",
    ("insert_events", "event_id, site_id, received_at, place"): "each has a place of its own",
    ("move_numbers", "p.person, u.user_no"): "each user has a number of their own",
    ("without_erased", "e.place, n.rank"): "each has a place of its own",
    ("rollups/user_counter", "c.name"): "each column is there once",
    ("rollups/user_numbers", "user_no"): "each number is there once",
    ("rollups/different_event_hours", "hour, event_type"): "the key",
    ("reports/timeseries_users_by_sessions", "at"): "each hour is there once",
    ("sessions_in", "user_id, ended desc"): "sessions of one user do not overlap",
    ("store/make_partitions", ""): "any event of a time that has no partition",
}


def test_what_depends_on_an_order_says_it(conn: Connection) -> None:
    own = conn.execute(
        "select proname from pg_proc where prokind = 'a' and pronamespace = current_schema()::regnamespace"
    ).fetchall()
    names = "|".join([*IN_ORDER, *(name for (name,) in own)])
    found = [call for where, text in all_sql(conn).items() for call in calls(where, text, names)]
    assert len(found) > 60
    assert {call.key for call in found if not _ordered(call)} == set()


def test_a_part_is_of_a_total_order(conn: Connection) -> None:
    parts = [
        (where, order, sought)
        for where, text in all_sql(conn).items()
        for order, sought in (*_windows(text), *_limits(text))
    ]
    assert len(parts) > 60
    wrong = {
        (where, order, sought)
        for where, order, sought in parts
        if _last(order) not in KEYS and not any(where == one and order.endswith(text) for one, text in PARTIAL)
    }
    assert wrong == set()


def test_a_function_has_no_clock_of_its_own() -> None:
    """What maintenance does at a moment can be tried at any: the clock is a parameter."""
    clocks = re.compile(r"\b((now|(clock|statement|transaction)_timestamp|timeofday)\(|current_(date|time)|localtime)")
    texts = {
        path.stem: path.read_text().replace("present timestamptz default now()", "")
        for path in FUNCTIONS.rglob("*.sql")
    }
    assert len(texts) > 100
    # Whether a timezone can be used is the same at any time.
    assert {name for name, text in texts.items() if clocks.search(text)} == {"usable_timezone"}


def test_no_join_uses_a_column_that_may_be_null(conn: Connection) -> None:
    """`using` takes the first column of that name, which may be of a left join before it that has found nothing."""
    chain = r"\b(left|full) (outer )?join\b(?:(?!\b(select|where|group by|union)\b).)*? on .*? join .*? using\b"
    chains = [
        (where, query) for where, text in all_sql(conn).items() for query in queries(text) if re.search(chain, query)
    ]
    assert chains == []


def test_letters_are_changed_whatever_the_collation(conn: Connection) -> None:
    """In Turkish the capital of i is not I."""
    found = [call for where, text in all_sql(conn).items() for call in calls(where, text, "upper|lower|initcap")]
    assert found
    assert [call.key for call in found if not call.arguments.endswith('collate "c"')] == []


def _ordered(call: Call) -> bool:
    said = " order by " in f" {top_level(call.arguments)} "
    return said or (call.where, call.name) in SETS


def _windows(text: str) -> list[tuple[str, str]]:
    """The orders by which rows are numbered, or looked at beside each other."""
    called = re.finditer(r"\b(?:row_number|lag|lead|first_value|last_value|nth_value)\([^()]*\) over \(", text)
    return [(inside(text, match.end()).partition("order by ")[2], "window") for match in called]


def _limits(text: str) -> list[tuple[str, str]]:
    """The orders by which some rows of many are taken."""
    found = []
    for query in queries(text):
        for match in re.finditer(r"\blimit (?![<>])|\bdistinct on\b|\boffset (?!0\b)", query):
            orders = re.findall(r"order by (.*?)(?= limit| offset| for update|$)", query)
            found.append((orders[-1].strip() if orders else "", match[0].strip()))
    return found


def _last(order: str) -> str:
    last = order.rpartition(",")[2].strip()
    return re.sub(r'^\w+\.|( collate "c")?( desc)?$', "", last)
