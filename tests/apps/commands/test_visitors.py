"""Ids of browsers that were sent as users' before there were visitors become visitors', once their sender says so."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.events.event import ReceivedEvent
from db.people.links import visitors_existed_at
from db.rollups.advance import Rollup, advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

#: When the pages began to send ids of visitors.
CHANGED = datetime(2026, 3, 10, tzinfo=UTC)


def event(site: str, day: int, *, arrived: datetime | None = None, **fields: Any) -> ReceivedEvent:
    """An event of so many days after that, which arrived at once."""
    moment = CHANGED + timedelta(days=day)
    found = received(site, **{"timestamp": moment.isoformat(), "path": "/"} | fields)
    return msgspec.structs.replace(found, received_at=arrived or moment)


@pytest.fixture
def before_and_since(conn: Connection, shop: str, other: str) -> str:
    """A browser that logs in later, one that does not, a user, and an id that is still sent as a user's."""
    for site in (shop, other):
        past = [event(site, -3, user_id=name) for name in ("browser", "stranger", "ann", "both", "customer-17")]
        store_events(conn, batch(*past, event(site, -2, user_id="browser", path="/a")))
        since = [event(site, 1, visitor_id=name) for name in ("browser", "stranger", "both")]
        login = event(site, 2, visitor_id="browser", user_id="ann")
        store_events(conn, batch(*since, login, event(site, 2, user_id="both")))
        for rollup in get_args(Rollup):
            advance(conn, rollup, site, target=CHANGED + timedelta(days=1))
    return shop


def people(conn: Connection, site: str) -> dict[str, str]:
    rows = conn.execute(
        "select distinct coalesce(visitor_id, user_id), user_id from events where site_id = %s order by 1", [site]
    ).fetchall()
    return dict(rows)


def tjra(*arguments: str, confirmed: str = "") -> str:
    done = CliRunner().invoke(main, ["visitors", *arguments], input=confirmed)
    assert done.exit_code == (0 if confirmed != "n\n" else 1), done.output
    return done.output


def test_who_says_so_makes_one_person_of_a_browser_and_its_user(
    conn: Connection, before_and_since: str, other: str
) -> None:
    site, before = before_and_since, f"{CHANGED:%Y-%m-%d}"
    as_it_was = people(conn, site)
    assert as_it_was["browser"] == "browser"
    listed = tjra("--site", site, "--before", before, "--dry-run")
    assert listed.splitlines()[1:] == ["  browser, who is ann", "  stranger"]
    tjra("--site", site, "--before", before, confirmed="n\n")
    assert people(conn, site) == as_it_was
    told = tjra("--site", site, "--before", before, "--yes")
    assert told.splitlines()[-1] == "3 events are of 2 visitors now; 1 of them are users"
    assert people(conn, site) == {
        "ann": "ann", "browser": "ann", "stranger": "stranger", "both": "both", "customer-17": "customer-17",
    }  # fmt: skip
    assert people(conn, other) == as_it_was
    assert differences(conn, site) == {}
    store_events(conn, batch(event(site, 4, visitor_id="stranger", user_id="eve")))
    assert people(conn, site)["stranger"] == "eve"
    assert differences(conn, site) == {}
    assert tjra("--site", site, "--before", before).startswith("0 ids")


def test_it_goes_by_when_this_database_learned_of_visitors(conn: Connection, before_and_since: str) -> None:
    learned = visitors_existed_at(conn)
    early, late = learned - timedelta(seconds=1), learned + timedelta(seconds=1)
    login = {"visitor_id": "stranger", "user_id": "eve"}
    store_events(conn, batch(event(before_and_since, 3, user_id="browser", arrived=late)))
    store_events(conn, batch(event(before_and_since, 3, arrived=late, **login)))
    store_events(conn, batch(event(before_and_since, 3, user_id="stranger", arrived=early)))
    assert people(conn, before_and_since)["stranger"] == "stranger"
    listed = tjra("--site", before_and_since, "--dry-run")
    # What the fixture stored had arrived before, too.
    assert listed.splitlines()[1:] == ["  both", "  stranger, who is eve"]
