"""Real SDKs from PyPI against the running system: each call arrives once, also where answers fail at first."""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.builders.sdk_calls import NOON
from tests.conftest import Connection
from tests.servers.flaky_proxy import flaky_proxy
from tests.servers.servers import eventually
from tests.servers.serving import Served

pytestmark = pytest.mark.usefixtures("worker")

ROOT = Path(__file__).parent.parent.parent
#: What goes wrong at first. Plausible has no ids: of its events none may be sent again that we have.
FAILURES = {
    "segment": ["lost", "503"],
    "rudderstack": ["lost", "503"],
    "posthog": ["lost", "503"],
    "posthog_v1": ["503", "lost"],
    "plausible": ["dropped", "503"],
}
#: Those that say who, and when.
WITH_USERS = ["segment", "rudderstack", "posthog", "posthog_v1"]


@pytest.fixture(scope="module")
def sites(ingestion_server: Served) -> dict[str, str]:
    """The site of each SDK, which has made its calls. They do so at the same time: most of it is waiting."""
    sites = {sdk: f"{sdk}-{uuid4().hex[:12]}" for sdk in FAILURES}
    with ExitStack() as stack, ThreadPoolExecutor(len(sites)) as threads:
        proxies = {sdk: stack.enter_context(flaky_proxy(ingestion_server.url, FAILURES[sdk])) for sdk in sites}
        runs = [threads.submit(make_calls, sdk, proxies[sdk].url, site) for sdk, site in sites.items()]
        for run in runs:
            run.result()
        for sdk, proxy in proxies.items():
            assert proxy.failures == [], sdk
            assert set(proxy.statuses) == {202 if sdk == "plausible" else 200}
    return sites


def make_calls(sdk: str, url: str, site: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.builders.sdk_calls", sdk, url, site],
        cwd=ROOT,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def stored(conn: Connection, site: str, *, count: int) -> list[dict[str, Any]]:
    """The events of a site, by type, once there are so many."""
    query = """
        select event_type, path, user_id, visitor_id, event_time, event_id, properties from events
        where site_id = %s order by event_type
    """

    def rows() -> list[dict[str, Any]]:
        cursor = conn.execute(query, [site])
        assert cursor.description
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        assert len(found) == count, Counter((event["event_type"], event["path"]) for event in found)
        return found

    return eventually(rows)


@pytest.mark.parametrize("sdk", WITH_USERS)
def test_each_call_is_stored_once_with_its_user_path_and_time(
    sites: dict[str, str], conn: Connection, sdk: str
) -> None:
    events = stored(conn, sites[sdk], count=3)
    assert [(one["event_type"], one["path"]) for one in events] == [
        ("Order Completed", "/checkout"),
        ("identify", "/"),
        ("page_view", "/products/lamp"),
    ]
    assert {one["user_id"] for one in events} == {"ann"}
    assert {one["event_time"] for one in events} == {NOON}
    order, identified, _ = (one["properties"] for one in events)
    assert (order["order_id"], order["products"][0]["sku"]) == ("1001", "lamp-3")
    assert (identified.get("traits") or identified["$set"])["plan"] == "gold"


@pytest.mark.parametrize("sdk", ["posthog", "posthog_v1"])
def test_a_uuid_is_kept_as_it_is(sites: dict[str, str], conn: Connection, sdk: str) -> None:
    order, *_ = stored(conn, sites[sdk], count=3)
    assert order["event_id"] == UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")


def test_a_visitor_without_an_id_is_one_for_the_day(sites: dict[str, str], conn: Connection) -> None:
    events = stored(conn, sites["plausible"], count=2)
    assert [(one["event_type"], one["path"]) for one in events] == [
        ("Purchase", "/checkout"),
        ("page_view", "/products/lamp"),
    ]
    (user,) = {one["user_id"] for one in events}
    assert user.startswith("daily-")
    assert events[1]["properties"] == {"utm_source": "letter"}


@pytest.mark.parametrize("sdk", FAILURES)
def test_the_reports_have_the_view_the_user_and_the_revenue(
    sites: dict[str, str], conn: Connection, reporting: httpx.Client, sdk: str
) -> None:
    stored(conn, sites[sdk], count=3 if sdk in WITH_USERS else 2)
    stats = reporting.get("/stats", params={"site_id": sites[sdk]}).json()
    assert (stats["total_views"], stats["unique_users"]) == (1, 1)
    assert stats["top_paths"] == [{"path": "/products/lamp", "views": 1}]
    revenue = reporting.get("/revenue", params={"site_id": sites[sdk], "period": "all"}).json()
    (currency,) = revenue["currencies"]
    assert (currency["currency"], currency["orders"], currency["revenue"]) == ("EUR", 1, "119.9")
    # Plausible's SDK for Python makes text of everything, lists too.
    assert [one["product"] for one in revenue["products"]] == (["lamp-3"] if sdk in WITH_USERS else [])


@pytest.mark.parametrize("path", ["/v1/batch", "/batch/", "/tracker"])
def test_what_a_wrong_clock_sends_again_is_stored_once_with_the_time_of_its_first_arrival(
    ingestion: httpx.Client, conn: Connection, shop: str, path: str
) -> None:
    now, id_ = datetime.now(UTC), str(uuid4())
    for late in (timedelta(0), timedelta(seconds=0.5), timedelta(hours=1)):
        clock = now + timedelta(days=3) + late
        ago = (
            (clock - timedelta(minutes=5)).isoformat() if path != "/v1/batch" else (now + timedelta(days=3)).isoformat()
        )
        bodies: dict[str, Any] = {
            "/v1/batch": {
                "writeKey": shop,
                "sentAt": clock.isoformat(),
                "batch": [{"type": "track", "event": "Order Completed", "messageId": id_, "timestamp": ago}],
            },
            "/batch/": {
                "api_key": shop,
                "sent_at": clock.isoformat(),
                "batch": [{"event": "Order Completed", "uuid": id_, "timestamp": ago}],
            },
            "/tracker": {
                "site_id": shop,
                "sent_at": round(clock.timestamp() * 1000),
                "events": [{"event_type": "Order Completed", "path": "/", "event_id": id_, "timestamp": ago}],
            },
        }
        assert ingestion.post(path, json=bodies[path]).status_code in (200, 202)
        (order,) = stored(conn, shop, count=1)
    last = str(uuid4())
    ingestion.post(
        "/event",
        json={"site_id": shop, "event_type": "zz_last", "path": "/", "event_id": last, "timestamp": now.isoformat()},
    )
    order, _ = stored(conn, shop, count=2)
    assert now - timedelta(minutes=6) < order["event_time"] < now + timedelta(minutes=1)
