"""GET /events and GET /events/export: by hand, against the events that were stored, and with clients that go away."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.reporting_resources import EXPORTS
from db.cursors import encode_cursor
from db.events.event import ReceivedEvent
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, histories, kept, midnight, within
from tests.servers.key import AUTHORIZED
from tests.servers.servers import eventually, until

RANGE: dict[str, Any] = {"from": "2026-03-10", "to": "2026-03-12"}
FIELDS = "event_id,event_type,path,user_id,visitor_id,event_time,received_at,stored_at,properties"


def get(reporting: httpx.Client, path: str, site: str, *, accept: str = "*/*", **parameters: Any) -> httpx.Response:
    answer = reporting.get(path, params={"site_id": site, **parameters}, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """Visits of two days of March 2026."""
    store_events(
        conn,
        batch(
            received(shop, timestamp="2026-03-09T23:59:59.999999Z", path="/before"),
            received(shop, timestamp="2026-03-10T00:00:00Z", path="/first", user_id="ann", visitor_id="browser"),
            received(
                shop,
                timestamp="2026-03-11T01:00:00.000001+01:00",
                path='/ä,"b"',
                event_type="click",
                properties={"price": 1.50, "tags": ["x", None], "note": 'a,"b"\nc'},
            ),
            received(shop, timestamp="2026-03-12T00:00:00Z", path="/after"),
            received(other, timestamp="2026-03-10T12:00:00Z", path="/secret"),
        ),
    )
    return shop


def test_the_newest_event_comes_first(reporting: httpx.Client, visits: str) -> None:
    page = get(reporting, "/events", visits, **RANGE).json()
    assert [event["path"] for event in page["events"]] == ['/ä,"b"', "/first"]
    event = page["events"][0]
    assert ",".join(event) == FIELDS
    assert (event["event_type"], event["user_id"], event["visitor_id"]) == ("click", None, None)
    assert event["event_time"] == "2026-03-11T00:00:00.000001Z"
    assert event["received_at"] <= event["stored_at"] <= page["as_of"]
    assert event["properties"] == {"price": 1.5, "tags": ["x", None], "note": 'a,"b"\nc'}
    assert (page["next_cursor"], page["source"], page["from"]) == (None, "events", "2026-03-10T00:00:00Z")


def test_a_page_goes_on_where_the_last_one_ended(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    same_time = [received(shop, path=f"/{number}") for number in range(7)]
    store_events(conn, batch(*same_time))
    asked = {**RANGE, "limit": 3}
    first = get(reporting, "/events", shop, **asked).json()
    store_events(conn, batch(received(shop, timestamp="2026-03-11T00:00:00Z")))  # shifts nothing
    second = get(reporting, "/events", shop, **asked, cursor=first["next_cursor"]).json()
    third = get(reporting, "/events", shop, **asked, cursor=second["next_cursor"]).json()
    found = [event["event_id"] for page in (first, second, third) for event in page["events"]]
    assert found == sorted((str(event.event_id) for event in same_time), reverse=True)
    assert third["next_cursor"] is None


def test_filters_hold_for_pages_and_exports(reporting: httpx.Client, visits: str) -> None:
    only_clicks: dict[str, Any] = {**RANGE, "filter": ["event_type:is:click", "properties.price:lt:2"]}
    assert len(get(reporting, "/events", visits, **only_clicks).json()["events"]) == 1
    assert len(lines(get(reporting, "/events/export", visits, **only_clicks))) == 1
    assert not lines(get(reporting, "/events/export", visits, **RANGE, filter="user_id:is:nobody"))


def test_an_export_has_the_oldest_event_first(reporting: httpx.Client, visits: str) -> None:
    answer = get(reporting, "/events/export", visits, **RANGE)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert lines(answer) == get(reporting, "/events", visits, **RANGE).json()["events"][::-1]


def test_an_export_can_be_csv(reporting: httpx.Client, visits: str) -> None:
    answer = get(reporting, "/events/export", visits, **RANGE, accept="text/csv")
    assert answer.headers["content-type"].startswith("text/csv")
    first, second = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert ",".join(first) == FIELDS
    assert (first["path"], first["user_id"], first["visitor_id"]) == ("/first", "ann", "browser")
    assert (second["path"], second["user_id"]) == ('/ä,"b"', "")
    assert json.loads(second["properties"]) == {"price": 1.5, "tags": ["x", None], "note": 'a,"b"\nc'}
    nothing = get(reporting, "/events/export", visits, date="2020-01-01", accept="text/csv")
    assert nothing.text == FIELDS + "\r\n"


def test_a_receipt_is_still_to_be_had(reporting: httpx.Client, visits: str) -> None:
    event = get(reporting, "/events", visits, **RANGE).json()["events"][0]
    assert get(reporting, f"/events/{event['event_id']}", visits).json()["status"] == "stored"


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/events", {"limit": 0}, "limit"),
        ("/events", {"limit": 1001}, "limit"),
        ("/events", {"cursor": "?"}, "cursor"),
        ("/events", {"cursor": "AAAA"}, "cursor"),
        (
            "/events",
            {"cursor": encode_cursor(("2026-03-10T00:00:00", "00000000-0000-0000-0000-000000000000"))},
            "cursor",
        ),
        ("/events", {"cursor": encode_cursor("shop")}, "cursor"),
        ("/events", {"period": "fortnight"}, "period"),
        ("/events/export", {"filter": "colour:is:red"}, "filter"),
        ("/events/export", {"from": "2026-03-10", "to": "2026-03-10"}, "to"),
        ("/events/export", {"limit": 10}, "limit"),
    ],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, path: str, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get(path, params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_an_export_is_no_json_document(reporting: httpx.Client, visits: str) -> None:
    asked = {"site_id": visits, **RANGE}
    answer = reporting.get("/events/export", params=asked, headers={"Accept": "application/json"})
    assert answer.status_code == 406


@examples(20)
@given(histories(), st.sampled_from(ZONES), st.integers(1, 20))
def test_pages_and_exports_have_each_event_once(
    conn: Connection, reporting: httpx.Client, history: Any, zone: str, limit: int
) -> None:
    site, stored = kept(conn, history)
    asked = {"from": "2026-03-09", "to": "2026-04-05", "timezone": zone}
    events = within(stored, midnight(2026, 3, 9, zone), midnight(2026, 4, 5, zone))

    def place(event: ReceivedEvent) -> Any:
        return event.timestamp, str(event.event_id)

    expected = [str(event.event_id) for event in sorted(events, key=place)]
    assert [event["event_id"] for event in lines(get(reporting, "/events/export", site, **asked))] == expected
    found = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(reporting, "/events", site, **asked, limit=limit, cursor=cursor).json()
        found += [event["event_id"] for event in page["events"]]
        cursor = page["next_cursor"]
    assert found == expected[::-1]


@pytest.fixture
def server(database_url: str, unused_port: int) -> Iterator[tuple[httpx.Client, int]]:
    """A reporting app in a process of its own: a client of it, and its process number."""
    options = ["--port", str(unused_port), "--log-level", "warning"]
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", "apps.reporting:app", "--no-access-log", *options])
    with httpx.Client(base_url=f"http://127.0.0.1:{unused_port}", timeout=60, headers=AUTHORIZED) as client:
        try:
            eventually(lambda: client.get("/health").raise_for_status())
            yield client, process.pid
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def many(conn: Connection, shop: str) -> str:
    """A site with 10,000 events, 40 MB as NDJSON: more than sockets take of an export whose client does not read."""
    properties = {"note": "x" * 4_000}
    for _ in range(10):
        store_events(conn, batch(*[received(shop, properties=properties) for _ in range(1_000)]))
    return shop


def most_memory(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


#: The transactions of exports that are open.
EXPORTING = b"pg_stat_activity where query like '%export%' and xact_start is not null and pid <> pg_backend_pid()"


def exporting(conn: Connection) -> int:
    return len(conn.execute(b"select from " + EXPORTING).fetchall())


def test_an_export_of_many_events_takes_little_memory(server: tuple[httpx.Client, int], many: str) -> None:
    client, pid = server
    get(client, "/events/export", many, **RANGE, filter="path:is:/nowhere")
    before = most_memory(pid)
    size = 0
    with client.stream("GET", "/events/export", params={"site_id": many, **RANGE}) as answer:
        for part in answer.iter_raw():
            size += len(part)
    assert size > 40_000_000
    assert most_memory(pid) - before < size / 2


def test_a_client_that_goes_away_ends_its_export(server: tuple[httpx.Client, int], conn: Connection, many: str) -> None:
    client, _ = server
    for _ in range(EXPORTS + 1):
        with client.stream("GET", "/events/export", params={"site_id": many, **RANGE}) as answer:
            assert answer.status_code == 200
            assert next(answer.iter_raw())
            until(lambda: exporting(conn) == 1)
        until(lambda: exporting(conn) == 0)


def test_an_export_that_is_cut_short_does_not_look_whole(
    server: tuple[httpx.Client, int], conn: Connection, many: str
) -> None:
    client, _ = server
    with client.stream("GET", "/events/export", params={"site_id": many, **RANGE}) as answer:
        parts = answer.iter_raw()
        assert next(parts)
        conn.execute(b"select pg_terminate_backend(pid) from " + EXPORTING)
        with pytest.raises(httpx.RemoteProtocolError):
            list(parts)


def test_no_more_exports_run_than_the_other_reports_can_bear(server: tuple[httpx.Client, int], many: str) -> None:
    client, _ = server
    asked = {"site_id": many, **RANGE}
    with client.stream("GET", "/events/export", params=asked), client.stream("GET", "/events/export", params=asked):
        refused = client.get("/events/export", params=asked)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert client.get("/events", params=asked).status_code == 200
