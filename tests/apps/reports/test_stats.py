"""GET /stats, to the letter."""

from collections import Counter
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, histories, kept


def stats(reporting: httpx.Client, site: str, **parameters: str) -> Any:
    answer = reporting.get("/stats", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_it_counts_views_users_and_paths_of_a_day(
    conn: Connection, reporting: httpx.Client, shop: str, other: str
) -> None:
    store_events(
        conn,
        batch(
            received(shop, path="/a", user_id="ann"),
            received(shop, path="/a", user_id="bob"),
            received(shop, path="/b", user_id="ann"),
            received(shop, path="/c", event_type="click", user_id="eve"),
            received(shop, path="/b"),
            received(shop, path="/b", timestamp="2026-03-09T23:59:59.999Z", user_id="zoe"),
            received(shop, path="/b", timestamp="2026-03-11T00:00:00Z", user_id="ann"),
            received(other, path="/x", user_id="mallory"),
        ),
    )
    assert stats(reporting, shop, date="2026-03-10") == {
        "site_id": shop,
        "date": "2026-03-10",
        "total_views": 4,
        "unique_users": 3,
        "top_paths": [{"path": "/a", "views": 2}, {"path": "/b", "views": 2}],
    }


def test_without_a_date_it_counts_all_time(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    days = [f"2026-02-{day:02}T12:00:00Z" for day in range(1, 4)]
    store_events(conn, batch(*(received(shop, timestamp=day, user_id=user) for day in days for user in ("ann", day))))
    assert stats(reporting, shop) == {
        "site_id": shop,
        "date": None,
        "total_views": 6,
        "unique_users": 4,
        "top_paths": [{"path": "/", "views": 6}],
    }
    assert stats(reporting, shop, date="") == stats(reporting, shop)


@examples(20)
@given(histories(), st.sampled_from(ZONES))
def test_all_time_equals_a_naive_count(conn: Connection, reporting: httpx.Client, history: Any, zone: str) -> None:
    site, stored = kept(conn, history, timezone=zone)
    views = Counter(one.path for one in stored if one.event_type == "page_view")
    top = sorted(views, key=lambda path: (-views[path], path.encode()))
    report = stats(reporting, site)
    assert report["total_views"] == views.total()
    assert report["unique_users"] == len({one.user_id for one in stored if one.user_id})
    assert report["top_paths"] == [{"path": path, "views": views[path]} for path in top]


def test_it_lists_ten_paths_equals_by_name(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    views = [(f"/{letter}", 1) for letter in "lkjihgfedcba"] + [("/z", 3), ("/y", 2)]
    store_events(conn, batch(*(received(shop, path=path) for path, count in views for _ in range(count))))
    for found in (stats(reporting, shop), stats(reporting, shop, date="2026-03-10")):
        assert [(one["path"], one["views"]) for one in found["top_paths"]] == [
            ("/z", 3), ("/y", 2), *((f"/{letter}", 1) for letter in "abcdefgh"),
        ]  # fmt: skip
        assert found["total_views"] == 17


def test_a_site_never_seen_has_zeros(reporting: httpx.Client, other: str) -> None:
    for day in (None, "2026-03-10"):
        found = stats(reporting, other, **({"date": day} if day else {}))
        assert found == {"site_id": other, "date": day, "total_views": 0, "unique_users": 0, "top_paths": []}


def test_a_day_is_one_of_the_sites_timezone(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, 'Asia/Kolkata')", [shop])
    store_events(conn, batch(received(shop, timestamp="2026-03-09T18:30:00Z", user_id="ann")))
    assert stats(reporting, shop, date="2026-03-10")["total_views"] == 1
    assert stats(reporting, shop, date="2026-03-09")["total_views"] == 0


@pytest.mark.parametrize("site", ["ünïcödé 😀", "a&b=c", "' or 1=1 --", "%(site_id)s", "x" * 255])
def test_any_site_can_be_asked_for(conn: Connection, reporting: httpx.Client, shop: str, site: str) -> None:
    site = (site + shop)[-200:]
    store_events(conn, batch(received(site)))
    assert stats(reporting, site)["total_views"] == 1


@pytest.mark.parametrize(
    ("parameters", "reasons"),
    [
        ({}, {"site_id": "is missing"}),
        ({"site_id": ""}, {"site_id": "is missing"}),
        ({"date": "2026-03-10"}, {"site_id": "is missing"}),
        ({"site_id": "s", "date": "today"}, {"date": "should be a day such as 2026-01-31"}),
        ({"site_id": "s", "date": "2026-02-30"}, {"date": "should be a day such as 2026-01-31"}),
        ({"site_id": "s", "date": "2026-03-10T00:00:00Z"}, {"date": "should be a day such as 2026-01-31"}),
        ({"date": "x"}, {"site_id": "is missing", "date": "should be a day such as 2026-01-31"}),
        ({"site_id": ["a", "b"]}, {"site_id": "is given 2 times"}),
        ({"site_id": "s", "day": "2026-03-10"}, {"day": "is unknown"}),
        ({"site_id": "a\0b"}, {"site_id": "holds U+0000"}),
        ({"site_id": "é" * 200}, {"site_id": "is 400 bytes long"}),
        ({"site_id": "x" * 256}, {"site_id": "should have at most 255 characters"}),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, str], reasons: dict[str, str]) -> None:
    answer = reporting.get("/stats", params=parameters)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["field"]: error["reason"] for error in answer.json()["errors"]} == reasons
    assert all(error["allowed"] for error in answer.json()["errors"])


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_have_zeros(reporting: httpx.Client, shop: str, day: date) -> None:
    assert stats(reporting, shop, date=day.isoformat())["total_views"] == 0
