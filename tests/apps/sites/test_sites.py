"""GET /sites."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.cursors import encode_cursor
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, histories, kept


def ask(reporting: httpx.Client, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/sites", params=parameters)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_a_site_has_its_totals_and_first_and_last_event(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(
        conn,
        batch(
            received(shop, timestamp="2026-03-10T12:34:56.789Z", user_id="ann"),
            received(shop, timestamp="2026-03-11T00:00:00Z", user_id="ann", event_type="click"),
            received(shop, timestamp="2025-12-31T23:59:59.999999Z"),
        ),
    )
    assert ask(reporting, search=shop.upper()) == {
        "sites": [
            {
                "site_id": shop,
                "timezone": "UTC",
                "events": 3,
                "users": 1,
                "anonymous": 1,
                "first_event": "2025-12-31T23:59:59.999999Z",
                "last_event": "2026-03-11T00:00:00Z",
            }
        ],
        "next_cursor": None,
    }


def test_a_site_without_events_is_listed_too(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, 'Asia/Kolkata')", [shop])
    (site,) = ask(reporting, search=shop)["sites"]
    assert (site["timezone"], site["events"], site["users"]) == ("Asia/Kolkata", 0, 0)
    assert (site["first_event"], site["last_event"]) == (None, None)


def test_where_events_are_no_longer_kept_their_hours_are_told(
    reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    store_events(conn, batch(received(shop, timestamp="2026-03-10T12:34:56Z")))
    conn.execute("delete from events where site_id = %s", [shop])
    (site,) = ask(reporting, search=shop)["sites"]
    assert (site["events"], site["first_event"], site["last_event"]) == (
        1,
        "2026-03-10T12:00:00Z",
        "2026-03-10T12:00:00Z",
    )


def test_sites_come_in_pages(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    names = [f"{shop}-{number}" for number in range(5)]
    store_events(conn, batch(*[received(name) for name in names]))
    found = []
    cursor: str | None = ""
    while cursor is not None:
        page = ask(reporting, search=shop, limit=2, cursor=cursor)
        found += [site["site_id"] for site in page["sites"]]
        cursor = page["next_cursor"]
    assert found == names


def test_sites_come_as_csv(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop, timestamp="2026-03-10T12:00:00Z")))
    table = reporting.get("/sites", params={"search": shop}, headers={"Accept": "text/csv"})
    assert table.text.splitlines() == [
        "site_id,timezone,events,users,anonymous,first_event,last_event",
        f"{shop},UTC,1,0,1,2026-03-10T12:00:00Z,2026-03-10T12:00:00Z",
    ]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"search": "a" * 201}, "search"),
        ({"cursor": "?"}, "cursor"),
        ({"cursor": encode_cursor("\0")}, "cursor"),
        ({"site_id": "shop"}, "site_id"),
    ],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/sites", params=parameters)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@examples(20)
@given(histories(), st.sampled_from(ZONES))
def test_it_equals_a_naive_count(conn: Connection, reporting: httpx.Client, history: Any, zone: str) -> None:
    name, stored = kept(conn, history, timezone=zone)
    (site,) = ask(reporting, search=name)["sites"]
    times = sorted(one.timestamp for one in stored)
    assert site["events"] == len(stored)
    assert site["users"] == len({one.user_id for one in stored if one.user_id})
    assert site["anonymous"] == sum(one.user_id is None for one in stored)
    for at, told in zip(
        (times[0], times[-1]) if times else (), (site["first_event"], site["last_event"]), strict=False
    ):
        assert told == at.isoformat().replace("+00:00", "Z")
