"""Bodies as some senders spell them: a byte order mark, single quotes, seconds, seven digits of a second."""

import gzip
import json
import time

import httpx
import pytest

from tests.builders.factories import event
from tests.servers.queue import queued

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("path", ["/event", "/events", "lines"])
def test_a_byte_order_mark_costs_no_event(ingestion: httpx.Client, shop: str, path: str, pack: type[bytes]) -> None:
    one = json.dumps(event(shop)).encode()
    body = {"/event": one, "/events": b"[%b]" % one, "lines": one + b"\n" + one}[path]
    headers = {"Content-Type": "application/x-ndjson"} if path == "lines" else {}
    answer = ingestion.post(path if path != "lines" else "/events", content=pack(MARK + body), headers=headers)
    assert answer.status_code == 202, answer.text
    assert len(queued(shop)) == (2 if path == "lines" else 1)


def test_single_quotes_are_malformed_json(ingestion: httpx.Client) -> None:
    (error,) = ingestion.post("/event", content=b"{'site_id':'shop','path':'/'}").json()["errors"]
    assert (error["field"], error["reason"].startswith("JSON is malformed")) == ("", True)


@pytest.mark.parametrize("digits", ["9999999", "99999999", "999999999", "9999995"])
@pytest.mark.parametrize("other", [{}, {"user_id": True}], ids=["exact", "salvaged"])
def test_digits_beyond_microseconds_are_cut_off(
    ingestion: httpx.Client, shop: str, digits: str, other: dict[str, object]
) -> None:
    sent = event(shop, timestamp=f"2026-01-01T23:59:59.{digits}Z") | other
    assert ingestion.post("/event", json=sent).status_code == 202
    assert ingestion.post("/events", json=[sent]).status_code == 202
    assert {one["timestamp"] for one in queued(shop)} == {"2026-01-01T23:59:59.999999Z"}


def test_of_seconds_the_error_says_that_milliseconds_are_meant(ingestion: httpx.Client, shop: str) -> None:
    (error,) = ingestion.post("/event", json=event(shop, timestamp=int(time.time()))).json()["errors"]
    assert "milliseconds since 1970, not seconds" in error["reason"]
    (error,) = ingestion.post("/event", json=event(shop, timestamp="1999-01-01T00:00:00Z")).json()["errors"]
    assert "milliseconds" not in error["reason"]
