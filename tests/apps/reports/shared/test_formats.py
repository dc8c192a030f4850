"""`format` beside `Accept`: which form a report has, whatever the client's headers are."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.apps.reports.shared.test_tables import COMPARED, TABLES
from tests.builders.factories import batch, received
from tests.conftest import Connection

#: What browsers send, what wants JSON only, and what allows nothing of ours.
ACCEPTS = ("text/html,*/*;q=0.8", "application/json", "image/png")
TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


@pytest.fixture
def site(conn: Connection, shop: str) -> str:
    store_events(conn, batch(received(shop, user_id="ann")))
    return shop


@pytest.mark.parametrize(("path", "parameters"), [*TABLES, ("/sites", {}), ("/users/ann", {})], ids=str)
def test_it_says_more_than_accept(reporting: httpx.Client, site: str, path: str, parameters: dict[str, Any]) -> None:
    of_all = path != "/sites"
    for name, media_type in TYPES.items():
        if (path, name) == ("/events/export", "json"):
            continue
        for accept in ACCEPTS:
            asked = {"format": name, **({"site_id": site} if of_all else {"search": site}), **parameters}
            answer = reporting.get(path, params=asked, headers={"Accept": accept})
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == media_type, accept
            assert "Accept" in answer.headers["vary"]
            if name == "csv":
                assert list(csv.reader(io.StringIO(answer.text)))
            else:
                [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize(("path", "parameters"), [*TABLES, ("/sites", {}), ("/users/ann", {})], ids=str)
def test_another_one_is_refused_with_those_that_are_allowed(
    reporting: httpx.Client, site: str, path: str, parameters: dict[str, Any]
) -> None:
    others = ["xml", "CSV", "text/csv"] + ["json"] * (path == "/events/export")
    for name in others:
        asked = {"format": name, **({} if path == "/sites" else {"site_id": site}), **parameters}
        answer = reporting.get(path, params=asked)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (400, "format"), answer.text
        assert {"csv", "ndjson"} <= set(error["reason"].replace(",", "").split())


def test_each_form_has_a_tag_of_its_own(reporting: httpx.Client, site: str) -> None:
    asked = {"site_id": site, "date": "2026-03-10", "interval": "day"}
    tags = {}
    for name, media_type in TYPES.items():
        answer = reporting.get("/timeseries", params=asked | {"format": name})
        tags[name] = answer.headers["etag"]
        accepted = reporting.get("/timeseries", params=asked, headers={"Accept": media_type.partition(";")[0]})
        assert accepted.headers["etag"] == tags[name]
        known = reporting.get("/timeseries", params=asked | {"format": name}, headers={"If-None-Match": tags[name]})
        assert (known.status_code, known.content) == (304, b"")
    assert len(set(tags.values())) == len(TYPES)


@pytest.mark.parametrize("path", COMPARED)
def test_a_compared_report_says_with_what(reporting: httpx.Client, site: str, path: str) -> None:
    asked: dict[str, Any] = {"site_id": site, "from": "2026-03-09", "to": "2026-03-11"}
    others: dict[str, dict[str, Any]] = {
        "/breakdown": {"dimension": "path"},
        "/funnel": {"step": ["page_view", "click"]},
    }
    asked |= others.get(path, {})
    assert "compared_with" not in reporting.get(path, params=asked).json()
    found = reporting.get(path, params=asked | {"compare": "same_weekday"}).json()["compared_with"]
    assert found == {"from": "2026-03-02T00:00:00Z", "to": "2026-03-04T00:00:00Z"}
