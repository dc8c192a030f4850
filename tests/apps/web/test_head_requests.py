"""HEAD is answered wherever GET is, with its status and headers and no body; `Allow` says so."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute

from db.store.events import store_events
from tests.apps.monitoring.test_metrics import values
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.key import AUTHORIZED
from tests.servers.serving import Served

pytestmark = pytest.mark.usefixtures("worker")

#: What differs from one answer to the next.
OF_THE_MOMENT = {"content-length", "etag", "date", "transfer-encoding", "connection"}
#: What is in the place of path parameters.
IN_PATHS = {
    "letter_id": "5d0c8d6a-0f3f-5f1c-8bb0-c56f1d7f5c9c",
    "event_id": "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f",
    "user_id": "ann",
    "name": "pages.js",
}
QUERY = "dimension=path&step=page_view&step=order&path=/"
#: GET streams for ever.
ENDLESS = "/live/stream"


def gets(name: str, site: str) -> Iterator[str]:
    """Each address of an app that is asked by GET: all routes, whether they are documented or not."""
    from apps.ingestion import app as ingestion
    from apps.reporting import app as reporting

    for route in (ingestion if name == "ingestion" else reporting).litestar.routes:
        assert isinstance(route, HTTPRoute)
        if "GET" in route.methods:
            path = route.path_format.format_map(Parameters(site))
            yield f"{path}?site_id={site}"
            yield f"{path}?site_id={site}&{QUERY}"


class Parameters(dict[str, str]):
    def __init__(self, site: str) -> None:
        super().__init__(IN_PATHS | {"key": site})

    def __missing__(self, name: str) -> str:
        return "nothing"


@pytest.mark.parametrize("name", ["ingestion", "reporting"])
def test_every_get_is_a_head_too(name: str, request: pytest.FixtureRequest, conn: Connection, shop: str) -> None:
    served: Served = request.getfixturevalue(f"{name}_server")
    store_events(conn, batch(received(shop, user_id="ann")))
    with httpx.Client(base_url=served.url, timeout=10, headers=AUTHORIZED) as client:
        addresses = list(gets(name, shop))
        assert len(addresses) > 15
        for address in addresses:
            head = client.head(address)
            with client.stream("GET", address) as get:
                assert (head.status_code, head.content) == (get.status_code, b""), address
                assert set(head.headers) - OF_THE_MOMENT == set(get.headers) - OF_THE_MOMENT, address
                assert head.headers["content-type"] == get.headers["content-type"]
                if ENDLESS not in address and "content-length" in get.headers and "/metrics" not in address:
                    assert int(head.headers["content-length"]) > 0 or not get.read()


def test_an_export_has_ended_when_its_head_is_answered(reporting_server: Served, conn: Connection, shop: str) -> None:
    for start in range(0, 3_000, 1_000):
        store_events(conn, batch(*[received(shop, path=f"/{start + nth}") for nth in range(1_000)]))
    with httpx.Client(base_url=reporting_server.url, timeout=30, headers=AUTHORIZED) as client:
        address = f"/events/export?site_id={shop}&period=all"
        # More than may run at once: each has ended before its answer is there.
        answers = [client.head(address) for _ in range(10)]
        assert {answer.status_code for answer in answers} == {200}
        assert len(client.get(address).content.splitlines()) == 3_000


def test_a_stream_is_over_after_its_headers(reporting_server: Served, shop: str) -> None:
    with httpx.Client(base_url=reporting_server.url, timeout=5, headers=AUTHORIZED) as client:
        for _ in range(3):
            answer = client.head("/live/stream", params={"site_id": shop})
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["content-type"].startswith("text/event-stream")


def test_the_head_of_an_image_is_no_page_view(ingestion: httpx.Client, reporting: httpx.Client, shop: str) -> None:
    browser = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    address = f"/pixel.gif?site={shop}&path=/lamp"
    assert ingestion.head(address, headers=browser).status_code == 200
    accounts: Any = reporting.get("/accounting", params={"site_id": shop}).json()["accounts"]
    assert accounts == []
    assert ingestion.get(address, headers=browser).status_code == 200
    assert reporting.get("/accounting", params={"site_id": shop}).json()["accounts"][0]["accepted"] == 1


@pytest.mark.parametrize("name", ["ingestion", "reporting"])
def test_allow_names_head_wherever_it_names_get(name: str, request: pytest.FixtureRequest) -> None:
    client: httpx.Client = request.getfixturevalue(name)
    for path in ("/health", "/schema", "/"):
        refused, options = client.post(path), client.options(path)
        assert (refused.status_code, options.status_code) == (405, 204)
        for answer in (refused, options):
            assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}, path


def test_options_names_the_methods_of_all_handlers_of_a_path(reporting: httpx.Client) -> None:
    for answer in (reporting.options("/sites/shop"), reporting.patch("/sites/shop")):
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}


@pytest.mark.parametrize(("path", "status"), [("/event", 405), ("/nothing", 404), ("/schema/nothing", 404)])
def test_where_there_is_no_get_there_is_no_head(ingestion: httpx.Client, path: str, status: int) -> None:
    head = ingestion.head(path, headers=AUTHORIZED)
    assert (head.status_code, head.content) == (status, b"")
    assert "GET" not in head.headers.get("allow", "")
    assert ingestion.get(path, headers=AUTHORIZED).status_code == status


def test_heads_are_counted_as_such(reporting: httpx.Client) -> None:
    series = "tjra_http_request_duration_seconds_count{method=HEAD}{route=/health}{status=200}"
    before = values(reporting.get("/metrics").text).get(series, 0)
    reporting.head("/health")
    assert values(reporting.get("/metrics").text)[series] == before + 1
