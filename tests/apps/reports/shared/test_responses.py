"""Reports as responses: JSON that is made once, and a tag that stays the same until the report is another."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from apps.reports.events import EVENT, PAGE
from apps.reports.shared.responses import entity_tag
from db.reports.events import EventPage
from db.reports.shared.report import Report
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_a_report_is_encoded_once_and_its_tag_does_not_say_when(
    conn: Connection, reporting: httpx.Client, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = []
    encode = msgspec.json.encode

    def noting(value: Any, **options: Any) -> bytes:
        if isinstance(value, Report):
            encoded.append(value)
        return encode(value, **options)

    monkeypatch.setattr(msgspec.json, "encode", noting)
    store_events(conn, batch(received(shop)))
    requested = {"site_id": shop, "date": "2026-03-10", "interval": "day"}
    first, second = (reporting.get("/timeseries", params=requested) for _ in range(2))
    assert len(encoded) == 2
    assert first.json()["as_of"] < second.json()["as_of"]
    assert first.json() | {"as_of": None} == second.json() | {"as_of": None}
    assert first.headers["etag"] == second.headers["etag"]
    known = reporting.get("/timeseries", params=requested, headers={"if-none-match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    store_events(conn, batch(received(shop)))
    assert reporting.get("/timeseries", params=requested).headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("path", ["/timeseries", "/sessions", "/revenue", "/breakdown"])
def test_the_tag_of_what_is_compared_up_to_now_stays_too(
    conn: Connection, reporting: httpx.Client, shop: str, path: str
) -> None:
    now = datetime.now(UTC)
    zone = f"Etc/GMT{now.hour - 12:+d}"  # where it is about noon
    requested = {"site_id": shop, "period": "today", "compare": "previous_period", "timezone": zone}
    requested |= {"dimension": "path"} if path == "/breakdown" else {}
    first, second = (reporting.get(path, params=requested) for _ in range(2))
    assert first.json()["compared_with"] != second.json()["compared_with"]
    assert first.headers["etag"] == second.headers["etag"]
    yesterday = now - timedelta(days=1, minutes=1)
    sold = {"revenue": 1, "currency": "EUR"}
    event = received(shop, event_type="purchase", timestamp=yesterday.isoformat(), user_id="ann", properties=sold)
    store_events(conn, batch(event))
    assert reporting.get(path, params=requested).headers["etag"] != first.headers["etag"]


def page(as_of: datetime, said: datetime, **others: Any) -> EventPage:
    """A page in which clients have put an `as_of` of their own wherever they can."""
    text = f'","as_of":{msgspec.json.encode(said).decode()},"'
    raw = msgspec.Raw(b'{"as_of":%s}' % msgspec.json.encode(said))
    event = msgspec.structs.replace(EVENT, path=text, event_type=text, properties=raw)
    return msgspec.structs.replace(PAGE, as_of=as_of, site_id=text, events=[event], **others)


def test_only_the_reports_own_as_of_is_left_out_of_its_tag() -> None:
    def tag(report: EventPage, *others: str) -> str:
        return entity_tag(msgspec.json.encode(report), report.as_of, *others)

    later = NOW + timedelta(seconds=1)
    found = tag(page(NOW, NOW))
    assert found == tag(page(later, NOW))
    different = [
        tag(page(NOW, later)),
        tag(page(NOW, NOW, next_cursor="more")),
        tag(page(NOW, NOW, timezone="Europe/Berlin")),
        tag(page(NOW, NOW), "text/csv"),
        tag(msgspec.structs.replace(page(NOW, NOW), events=[msgspec.structs.replace(EVENT, event_id=UUID(int=7))])),
    ]
    assert len({found, *different}) == 1 + len(different)
