"""A site's own retention_days: its events are deleted, those of others stay; numbers stay, and nothing counts twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.dead_letters.replay import replay
from db.events.event import ReceivedEvent
from db.expiry import NOTICE, drop_old_events
from db.queries import QUERIES
from db.rollups.advance import advance
from db.sites.retention import delete_expired, site_plan, sites_with_retention
from db.store.events import Message, store_events, store_messages
from db.store.whole_or_apart import store_apart
from tests.builders.factories import batch, received
from tests.conftest import Connection

DAY = timedelta(days=1)
#: Any hour of any day of a week.
NOW = datetime.now(UTC).replace(microsecond=0)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
ZONES = {"short": "Asia/Kolkata", "middle": "America/New_York", "long": "UTC"}
OWN = {"short": 20, "middle": 45, "long": None}
TABLES = (
    "event_hours",
    "path_days",
    "user_days",
    "sessions",
    "session_days",
    "session_page_days",
    "users",
    "sale_days",
)


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as conn:
        for site, zone in ZONES.items():
            conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [site, zone])
        yield conn


@pytest.fixture
def visits(conn: Connection) -> list[ReceivedEvent]:
    """Of each site one event every 21 hours of a hundred days, and some an instant before and after a midnight."""
    moments = [NOW - hours * timedelta(hours=21) for hours in range(115)]
    moments += [MIDNIGHT - days * DAY + step * timedelta(microseconds=1) for days in (20, 45) for step in (-1, 0, 1)]
    events = [
        received(
            site,
            timestamp=moment.isoformat(),
            user_id=(None, "ann", f"{moment:%j}")[number % 3],
            event_type="purchase" if number % 4 == 0 else "page_view",
            properties={"revenue": 1, "currency": "EUR", "order_id": f"{moment}"},
        )
        for site in ZONES
        for number, moment in enumerate(moments)
    ]
    store_events(conn, batch(*events))
    maintain(conn)
    return events


def maintain(conn: Connection) -> None:
    for site in ZONES:
        for rollup in ("sessions", "path_spans", "user_spans", "user_months", "top_paths"):
            while advance(conn, rollup, site, target=NOW - timedelta(hours=3)):
                pass


def own(conn: Connection, site: str, days: int | None) -> None:
    conn.execute(
        "insert into site_settings (site_id, retention_days) values (%s, %s)"
        " on conflict (site_id) do update set retention_days = excluded.retention_days",
        [site, days],
    )


def a_pass(conn: Connection, *, days: int | None = None, now: datetime = NOW, most: int = 10_000) -> int:
    """What a worker does; how many events of sites it deletes."""
    if days is not None:
        drop_old_events(conn, days=days, now=now)
    return sum(delete_expired(conn, site, days=days, now=now, most=most) for site in sites_with_retention(conn))


def expire(conn: Connection, site: str, days: int | None, *, most: int = 10_000) -> int:
    """Set a site's retention, and let it have its effect."""
    own(conn, site, days)
    a_pass(conn)
    return a_pass(conn, now=NOW + NOTICE, most=most)


def numbers(conn: Connection) -> dict[str, Any]:
    return {name: conn.execute(f"select * from {name} order by 1, 2, 3, 4".encode()).fetchall() for name in TABLES}


def times(conn: Connection, site: str) -> list[datetime]:
    rows = conn.execute("select event_time from events where site_id = %s order by 1", [site]).fetchall()
    return [moment for (moment,) in rows]


def told(conn: Connection, site: str) -> tuple[datetime | None, ...]:
    row = conn.execute("select events_from, own_events_from, own_deleted_until from sites where site_id = %s", [site])
    return row.fetchone() or ()


def has_no_differences(url: str) -> bool:
    results = [
        CliRunner(env={"DATABASE_URL": url}).invoke(main, command)
        for command in (["verify"], ["rebuild", "--all-sites"])
    ]
    assert not any(result.exit_code for result in results), [result.output for result in results]
    return True


def test_each_site_keeps_its_events_for_as_long_as_it_says(
    conn: Connection, url: str, visits: list[ReceivedEvent]
) -> None:
    before = numbers(conn)
    for site, days in OWN.items():
        own(conn, site, days)
    assert a_pass(conn, days=80) == a_pass(conn, days=80) == 0
    a_pass(conn, days=80, now=NOW + NOTICE)
    for site, days in OWN.items():
        (of_all,) = conn.execute("select events_from from kept_events").fetchone() or (NOW,)
        bound = of_all if days is None else MIDNIGHT - days * DAY
        assert times(conn, site) == sorted(
            one.timestamp for one in visits if one.site_id == site and one.timestamp >= bound
        )
        assert told(conn, site)[0] == bound
    # Months that are over, but for the one that is cut.
    months = conn.execute("select min(month) from user_months where site_id = 'short'").fetchone()
    assert months == ((MIDNIGHT - 20 * DAY).date().replace(day=1),)
    assert numbers(conn) == before
    assert has_no_differences(url)
    assert numbers(conn) == before


def test_what_comes_late_or_again_is_a_dead_letter_of_that_site_alone(
    conn: Connection, url: str, visits: list[ReceivedEvent]
) -> None:
    conn.execute("delete from event_ids")  # as after eight days
    expire(conn, "short", 20)
    maintain(conn)
    first = min(visits, key=lambda one: one.timestamp).timestamp
    before = {name: [row for row in rows if row[0] == "short"] for name, rows in numbers(conn).items()}
    resent = [one for one in visits if one.site_id == "short"][-1]
    late = received("short", timestamp=(MIDNIGHT - 20 * DAY - timedelta(microseconds=1)).isoformat(), user_id="eve")
    elsewhere = received("long", timestamp=first.isoformat(), user_id="eve")
    message = Message(str(uuid4()), batch(resent, late, elsewhere))
    with pytest.raises(
        psycopg.errors.CheckViolation, match=r"no event of .* is stored: events before .* no longer kept"
    ):
        store_messages(conn, [message])
    assert store_apart(conn, message, queue="events") == (3, 1, 2)
    letters = conn.execute("select id::text, site_id, sqlstate, payload from dead_letters").fetchall()
    assert {(site, code) for _, site, code, _ in letters} == {("short", "23514")}
    assert {payload for *_, payload in letters} == {msgspec.json.encode(one) for one in (resent, late)}
    for letter, *_ in letters:
        replay(conn, letter, request=letter)
    assert conn.execute("select distinct state from dead_letters").fetchall() == [("dead",)]
    assert {name: [row for row in rows if row[0] == "short"] for name, rows in numbers(conn).items()} == before
    at_the_bound = received("short", timestamp=(MIDNIGHT - 20 * DAY).isoformat(), user_id="eve")
    assert store_events(conn, batch(at_the_bound)).stored == 1
    maintain(conn)
    assert has_no_differences(url)


@pytest.mark.usefixtures("visits")
def test_nothing_is_deleted_unless_it_is_proven_that_it_may_be(conn: Connection) -> None:
    there = times(conn, "short")
    own(conn, "short", 20)
    a_pass(conn)
    state = "events_from, own_events_from, own_said_at, sessions_until, user_months_until"
    was = conn.execute(f"select {state} from sites where site_id = 'short'".encode()).fetchone()
    held = MIDNIGHT - 20 * DAY - timedelta(microseconds=1)
    for change, announced in (
        ("sessions_until = %(held)s", True),
        ("user_months_until = %(held)s", True),
        ("events_from = %(held)s", True),  # as if telling it did nothing
        ("events_from = null", True),
        ("own_said_at = own_said_at + interval '1 microsecond'", False),
        ("own_events_from = null", False),
        ("own_said_at = null", False),
    ):
        conn.execute(f"update sites set {change} where site_id = 'short'".encode(), {"held": held})
        (plan,) = site_plan(conn, days=None, now=NOW + NOTICE)
        assert plan.announced == announced
        assert plan.rolled_up == ("until" not in change)
        values = {"site_id": "short", "days": None, "now": NOW + NOTICE, "most": 10_000}
        assert conn.execute(QUERIES["expiry/delete_oldest_events"], values).fetchone() == (None, None, False)
        assert times(conn, "short") == there
        conn.execute(f"update sites set ({state}) = row(%s, %s, %s, %s, %s) where site_id = 'short'".encode(), was)
    assert a_pass(conn, now=NOW + NOTICE) == sum(one < MIDNIGHT - 20 * DAY for one in there)


@pytest.mark.usefixtures("visits")
def test_more_days_take_back_what_is_not_deleted_yet(conn: Connection) -> None:
    own(conn, "short", 20)
    a_pass(conn)
    own(conn, "short", 45)
    assert a_pass(conn, now=NOW + NOTICE) > 0  # what both say, announced long enough ago
    bound = MIDNIGHT - 45 * DAY
    assert told(conn, "short") == (bound, bound, bound)
    own(conn, "short", 20)
    a_pass(conn, now=NOW + NOTICE)
    assert told(conn, "short") == (MIDNIGHT - 20 * DAY, MIDNIGHT - 20 * DAY, bound)
    # All others' expiry comes and goes beside it.
    a_pass(conn, days=30, now=NOW + NOTICE)
    assert told(conn, "short")[0] == MIDNIGHT - 20 * DAY
    for days in (60, None, 400):
        own(conn, "short", days)
        a_pass(conn, days=400, now=NOW + 2 * NOTICE)
        assert told(conn, "short") == (bound, bound, bound)
        assert told(conn, "long") == (None, None, None)
    conn.execute("delete from site_settings")  # not registered any more
    assert a_pass(conn, now=NOW + 3 * NOTICE) == 0
    assert told(conn, "short") == (bound, bound, bound)
    assert min(times(conn, "short")) == bound
