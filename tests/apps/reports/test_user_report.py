"""GET /users/{user_id}: by hand, and against a naive count."""

from collections import Counter
from typing import Any
from urllib.parse import quote

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


def ask(reporting: httpx.Client, site: str, user: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get(f"/users/{quote(user, safe='')}", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def paths(report: dict[str, Any]) -> list[str]:
    return [event["path"] for event in report["events"]]


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """What ann did in March 2026."""
    store_events(
        conn,
        batch(
            received(shop, timestamp="2026-03-10T10:00:00Z", user_id="ann", path="/2", event_type="click"),
            received(shop, timestamp="2026-03-10T09:00:00Z", user_id="ann", path="/1", properties={"seats": 3}),
            received(shop, timestamp="2026-03-10T23:59:59Z", user_id="ann", path="/3"),
            received(shop, timestamp="2026-03-12T00:00:00Z", user_id="ann", path="/4"),
            received(shop, timestamp="2026-03-10T09:00:00Z", user_id="bob", path="/bob"),
            received(shop, timestamp="2026-03-10T09:00:00Z", path="/nobody"),
            received(other, timestamp="2026-03-01T09:00:00Z", user_id="ann", path="/mallory"),
        ),
    )
    return shop


def test_it_has_the_events_of_the_range_and_what_is_known_of_all_time(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, "ann", **RANGE)
    assert (report["user_id"], report["source"], report["next_cursor"]) == ("ann", "events", None)
    assert paths(report) == ["/3", "/2", "/1"]
    assert report["events"][2]["properties"] == {"seats": 3}
    assert report["ever"] == {
        "first_seen": "2026-03-10T09:00:00Z",
        "last_seen": "2026-03-12T00:00:00Z",
        "total_events": 4,
        "by_type": {"page_view": 3, "click": 1},
        "visitors": [],
    }
    assert paths(ask(reporting, visits, "ann", **RANGE, order="oldest")) == ["/1", "/2", "/3"]
    assert paths(ask(reporting, visits, "ann", **RANGE, filter="event_type:is:click")) == ["/2"]


def test_its_visitors_are_those_that_were_first_identified_as_the_user(
    reporting: httpx.Client, conn: Connection, shop: str, other: str
) -> None:
    for site in (other, shop):
        store_events(conn, batch(received(site, visitor_id="phone", timestamp="2026-03-10T09:00:00Z")))
        for user in ("ann", "bob") if site == shop else ("eve",):
            seen = (received(site, user_id=user, visitor_id=visitor) for visitor in ("phone", f"{user}'s"))
            store_events(conn, batch(*seen))
    ann, bob = (ask(reporting, shop, user, period="all", order="oldest") for user in ("ann", "bob"))
    assert (ann["ever"]["visitors"], bob["ever"]["visitors"]) == (["ann's", "phone"], ["bob's"])
    assert ann["events"][0]["visitor_id"] == "phone"
    assert ann["ever"]["total_events"] == 3
    assert {one["visitor_id"] for one in bob["events"]} == {"phone", "bob's"}


def test_times_are_those_of_the_timezone(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, "ann", **RANGE, timezone="Asia/Kolkata")
    assert [event["event_time"] for event in report["events"]] == [
        "2026-03-10T15:30:00+05:30",
        "2026-03-10T14:30:00+05:30",
    ]
    assert report["ever"]["last_seen"] == "2026-03-12T05:30:00+05:30"


def test_a_user_whom_no_event_names_is_not_found(reporting: httpx.Client, visits: str) -> None:
    answer = reporting.get("/users/eve", params={"site_id": visits})
    assert (answer.status_code, answer.json()["detail"]) == (404, f"site {visits!r} has no event of user 'eve'")


@pytest.mark.parametrize("user", ["a/b", "/a/", "a//b", "ä b", "?x=1", "a%2Fb", "#", "..x", "x" * 255, "<{user_id}>"])
def test_a_user_may_have_any_name(reporting: httpx.Client, conn: Connection, shop: str, user: str) -> None:
    store_events(conn, batch(received(shop, timestamp="2026-03-10T09:00:00Z", user_id=user)))
    assert ask(reporting, shop, user, **RANGE)["user_id"] == user


def test_events_come_as_csv(reporting: httpx.Client, visits: str) -> None:
    table = reporting.get(
        "/users/ann", params={"site_id": visits, **RANGE, "order": "oldest"}, headers={"Accept": "text/csv"}
    )
    head, first, *_ = table.text.splitlines()
    assert head == "event_id,event_type,path,visitor_id,event_time,received_at,properties"
    assert first.split(",")[1:5] == ["page_view", "/1", "", "2026-03-10T09:00:00Z"]
    assert first.endswith(',"{""seats"":3}"')


@pytest.mark.parametrize(
    ("user", "parameters", "field"),
    [
        ("ann", {"order": "random"}, "order"),
        ("ann", {"limit": 0}, "limit"),
        ("ann", {"limit": 1_001}, "limit"),
        ("ann", {"cursor": "here"}, "cursor"),
        ("ann", {"cursor": "MjAyNi0wMy0xMCAx"}, "cursor"),
        ("ann", {"compare": "previous_year"}, "compare"),
        ("x" * 256, {}, "user_id"),
        ("%00", {}, "user_id"),
        ("%FF", {}, "user_id"),
    ],
)
def test_a_bad_parameter_is_named(
    reporting: httpx.Client, visits: str, user: str, parameters: dict[str, Any], field: str
) -> None:
    answer = reporting.get(f"/users/{user}", params={"site_id": visits, **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@examples(20)
@given(naive.histories(), st.sampled_from(["newest", "oldest"]), st.integers(1, 5))
def test_its_pages_have_every_event_once_and_in_order(
    conn: Connection, reporting: httpx.Client, history: Any, order: str, limit: int
) -> None:
    site, stored = naive.kept(conn, history)
    march = {"from": "2026-03-08", "to": "2026-04-06"}
    everything = [one for one in stored if one.user_id == "ann"]
    if not everything:
        return
    start, end = naive.midnight(2026, 3, 8, "UTC"), naive.midnight(2026, 4, 6, "UTC")
    expected = sorted(naive.within(everything, start, end), key=lambda one: (one.timestamp, one.event_id))
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        report = ask(reporting, site, "ann", **march, order=order, limit=limit, cursor=cursor)
        found += report["events"]
        cursor = report["next_cursor"]
    wanted = [one.event_id for one in expected]
    assert [event["event_id"] for event in found] == (wanted if order == "oldest" else wanted[::-1])
    assert report["ever"]["by_type"] == Counter(one.event_type for one in everything)
    assert report["ever"]["total_events"] == len(everything)
