"""GET /live: by hand, and against a naive count."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, bucket, kept, within


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/live", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """Visits of the last hour."""
    store_events(
        conn,
        batch(
            received(shop, timestamp=ago(seconds=10), user_id="ann"),
            received(shop, timestamp=ago(seconds=100), user_id="ann", path="/products/1"),
            received(shop, timestamp=ago(seconds=100), user_id="bob", path="/products/1"),
            received(shop, timestamp=ago(seconds=200), path="/products/1"),
            received(shop, timestamp=ago(seconds=200), user_id="eve", event_type="click", path="/products/2"),
            received(shop, timestamp=ago(minutes=40), user_id="zoe"),
            received(shop, timestamp=ago(minutes=-40), user_id="early"),
            received(other, timestamp=ago(seconds=10), user_id="mallory"),
        ),
    )
    return shop


def test_it_counts_the_last_minutes(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits)
    assert (report["events"], report["users"], report["anonymous"]) == (5, 3, 1)
    assert report["pages"] == [
        {"path": "/products/1", "views": 3, "users": 2, "anonymous": 1},
        {"path": "/", "views": 1, "users": 1, "anonymous": 0},
    ]
    assert len(report["points"]) in (5, 6)  # five, where a minute of the clock begins just now
    assert sum(point["events"] for point in report["points"]) == 5
    assert report["source"] == "events"
    assert datetime.fromisoformat(report["to"]) - datetime.fromisoformat(report["from"]) == timedelta(minutes=5)
    assert ask(reporting, visits, minutes=60)["users"] == 4
    assert ask(reporting, visits, minutes=1)["events"] == 1


def test_it_filters_and_limits(reporting: httpx.Client, visits: str) -> None:
    assert ask(reporting, visits, filter="path:is:/products/*")["events"] == 4
    assert [page["path"] for page in ask(reporting, visits, limit=1)["pages"]] == ["/products/1"]


def test_a_site_where_nothing_happens_has_zeros(reporting: httpx.Client, shop: str) -> None:
    report = ask(reporting, shop)
    assert (report["events"], report["users"], report["anonymous"], report["pages"]) == (0, 0, 0, [])
    assert {(point["events"], point["users"], point["anonymous"]) for point in report["points"]} == {(0, 0, 0)}


def test_it_is_not_kept_by_caches(reporting: httpx.Client, shop: str) -> None:
    answer = reporting.get("/live", params={"site_id": shop}, headers={"Accept": "text/csv"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.splitlines()[0] == "at,events,users,anonymous"


@pytest.mark.parametrize("path", ["/live", "/live/stream"])
@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 61}, "minutes"),
        ({"limit": 0}, "limit"),
        ({"filter": "path:like:/"}, "filter"),
        ({"period": "7d"}, "period"),
        ({"site_id": ""}, "site_id"),
    ],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, path: str, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get(path, params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


recent = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": st.sampled_from(["page_view", "page_view", "click"]),
            "path": st.sampled_from(["/", "/a", "/ä"]),
            "user_id": st.sampled_from([None, "ann", "bob"]),
            "seconds": st.integers(-60, 700) | st.sampled_from([299.9, 300, 300.1]),
        }
    ),
    max_size=30,
)


@examples(20)
@given(recent, st.sampled_from(ZONES), st.sampled_from([1, 5, 10]))
def test_it_equals_a_naive_count(
    conn: Connection, reporting: httpx.Client, history: Any, zone: str, minutes: int
) -> None:
    now = datetime.now(UTC)
    history = [one | {"timestamp": now - timedelta(seconds=one["seconds"])} for one in history]
    site, stored = kept(conn, [{key: one[key] for key in one if key != "seconds"} for one in history], timezone=zone)
    report = ask(reporting, site, minutes=minutes)
    events = within(stored, datetime.fromisoformat(report["from"]), datetime.fromisoformat(report["to"]))

    def counts(events: Any) -> tuple[int, int, int]:
        users = [one.user_id for one in events]
        return len(events), len({*users} - {None}), users.count(None)

    assert (report["events"], report["users"], report["anonymous"]) == counts(events)
    for point in report["points"]:
        at = datetime.fromisoformat(point["at"])
        inside = [one for one in events if bucket(one.timestamp, "minute", zone) == at]
        assert (point["events"], point["users"], point["anonymous"]) == counts(inside)
    assert sum(point["events"] for point in report["points"]) == len(events)
    paths = {one.path for one in events if one.event_type == "page_view"}
    expected = [
        (path, *counts([one for one in events if one.event_type == "page_view" and one.path == path])) for path in paths
    ]
    assert [tuple(page.values()) for page in report["pages"]] == sorted(expected, key=lambda page: (-page[1], page[0]))
