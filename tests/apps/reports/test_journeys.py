"""GET /journeys: by hand, and against a naive count."""

from collections import defaultdict
from datetime import timedelta
from itertools import groupby
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles import naive

RANGE = {"from": "2026-03-10", "to": "2026-03-11"}


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/journeys", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def walk(site: str, user: str | None, start: str, *paths: str) -> list[Any]:
    """Views a second apart."""
    return [
        received(site, timestamp=f"{start}:{second:02}Z", user_id=user, path=path) for second, path in enumerate(paths)
    ]


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """Walks through the shop on 10 March 2026."""
    store_events(
        conn,
        batch(
            *walk(shop, "ann", "2026-03-10T09:00", "/", "/", "/a", "/b", "/", "/c"),
            *walk(shop, "ann", "2026-03-10T12:00", "/", "/a"),
            *walk(shop, "bob", "2026-03-10T09:00", "/x", "/", "/a", "/b", "/c"),
            *walk(shop, "eve", "2026-03-10T23:59", "/x", "/"),
            *walk(shop, "eve", "2026-03-11T00:10", "/a", "/d"),
            *walk(shop, "zoë", "2026-03-09T23:50", "/"),
            *walk(shop, "zoë", "2026-03-10T00:00", "/", "/a"),
            *walk(shop, None, "2026-03-10T09:00", "/", "/a"),
            received(shop, timestamp="2026-03-10T09:00:01.5Z", user_id="bob", path="/a", event_type="click"),
            *walk(other, "ann", "2026-03-10T09:00", "/", "/mallory"),
        ),
    )
    return shop


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"steps": 1}, {"/ /a": (4, 3)}),
        ({"steps": 2}, {"/ /a /b": (2, 2), "/ /a": (1, 1), "/ /a /d": (1, 1)}),
        ({"steps": 5}, {"/ /a": (1, 1), "/ /a /b / /c": (1, 1), "/ /a /b /c": (1, 1), "/ /a /d": (1, 1)}),
        ({"direction": "to"}, {"/": (2, 1), "/x /": (2, 2)}),
        ({"direction": "to", "path": "/b", "steps": 1}, {"/a /b": (2, 2)}),
        ({"direction": "to", "path": "/c"}, {"/ /a /b /c": (1, 1), "/a /b / /c": (1, 1)}),
        ({"filter": "path:is_not:/a", "steps": 1}, {"/ /b": (2, 2), "/": (1, 1), "/ /d": (1, 1)}),
        ({"path": "/nowhere"}, {}),
    ],
)
def test_it_counts_sequences_of_pages(
    reporting: httpx.Client, visits: str, parameters: dict[str, Any], expected: dict[str, tuple[int, int]]
) -> None:
    report = ask(reporting, visits, **{"path": "/"} | RANGE | parameters)
    found = {" ".join(one["pages"]): (one["sessions"], one["users"]) for one in report["journeys"]}
    assert found == expected


def test_it_says_of_how_many_sessions_that_is_and_what_is_not_listed(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, **RANGE, path="/", steps=2, limit=1)
    assert report["journeys"] == [{"pages": ["/", "/a", "/b"], "sessions": 2, "users": 2, "share": 0.5}]
    totals = {name: report[name] for name in ("sessions", "users", "anonymous", "other_sessions")}
    assert totals == {"sessions": 4, "users": 3, "anonymous": 1, "other_sessions": 2}
    assert (report["source"], report["path"], report["direction"], report["steps"]) == ("events", "/", "from", 2)


def test_sequences_come_as_csv(reporting: httpx.Client, visits: str) -> None:
    parameters = {**RANGE, "path": "/b", "direction": "to", "steps": "1"}
    table = reporting.get("/journeys", params={"site_id": visits, **parameters}, headers={"Accept": "text/csv"})
    assert table.text.splitlines() == ["pages,sessions,users,share", '"[""/a"",""/b""]",2,2,1.0']


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "path"),
        ({"path": "é" * 1_025}, "path"),
        ({"path": "/", "direction": "around"}, "direction"),
        ({"path": "/", "steps": 0}, "steps"),
        ({"path": "/", "steps": 6}, "steps"),
        ({"path": "/", "limit": 101}, "limit"),
        ({"path": "/", "compare": "previous_year"}, "compare"),
    ],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/journeys", params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@examples(25)
@given(
    naive.histories(most=60),
    naive.times,
    st.sampled_from([timedelta(minutes=10), timedelta(hours=2), timedelta(days=1), timedelta(days=40)]),
    st.sampled_from(["/", "/a"]),
    st.sampled_from(["from", "to"]),
    st.integers(1, 5),
)
def test_it_equals_a_naive_count(
    conn: Connection,
    reporting: httpx.Client,
    history: Any,
    start: Any,
    length: timedelta,
    path: str,
    direction: str,
    steps: int,
) -> None:
    site, stored = naive.kept(conn, history)
    parameters = {"from": start.isoformat(), "to": (start + length).isoformat(), "limit": 100}
    report = ask(reporting, site, **parameters, path=path, direction=direction, steps=steps)
    users = defaultdict(list)
    for session in naive.sessions(stored, start, start + length):
        pages = [page for page, _ in groupby(one.path for one in session if one.event_type == "page_view")]
        if path in pages:
            place = pages.index(path)
            found = pages[place : place + steps + 1] if direction == "from" else pages[: place + 1][-steps - 1 :]
            users[tuple(found)].append(session[0].user_id)
    assert {tuple(one["pages"]): (one["sessions"], one["users"]) for one in report["journeys"]} == {
        pages: (len(names), len(set(names))) for pages, names in users.items()
    }
    assert report["sessions"] == sum(map(len, users.values()))
    assert report["users"] == len({name for names in users.values() for name in names})
    views = [one for one in naive.within(stored, start, start + length) if one.event_type == "page_view"]
    assert report["anonymous"] == sum(one.path == path and one.user_id is None for one in views)
