"""Every response of the reporting app has the headers that protect who reads it, whatever answers."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from apps.access.response_headers import SECURE
from apps.reporting import ReportingApp, app, create_app
from apps.reports.shared.disconnects import Attended
from db.settings import load
from tests.servers.key import AUTHORIZED

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH")
#: What fits where a path has a variable, by its type.
IN_PATH = {"uuid": "00000000-0000-0000-0000-000000000000", "str": "nothing", "path": "nobody"}
MARKER = "odd-host"
ODD_HOSTS = [f'{MARKER}"><script>', f"{MARKER}@{MARKER}:3001", f"[{MARKER}]:3001/x"]
#: Nobody else may read what is here from their page.
CROSS_ORIGIN = "access-control-"


def paths() -> list[str]:
    """A path of each route, and one of none."""
    found = {re.sub(r"\{\w+:(\w+)\}", lambda kind: IN_PATH[kind[1]], route.path) for route in app.litestar.routes}
    return sorted(found | {"/nowhere"})


def check(answer: httpx.Response) -> None:
    for name, value in SECURE.items():
        given = answer.headers.get_list(name)
        if name == "Content-Security-Policy":  # pages have one of their own
            assert len(given) == 1
            for part in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
                assert part in given[0]
        else:
            assert given == [value], (answer.request, name)
    assert not [name for name in answer.headers if name.startswith(CROSS_ORIGIN)]


@pytest.mark.parametrize("authorized", [True, False])
@pytest.mark.parametrize("path", paths())
def test_every_answer_of_every_route_has_them(reporting: httpx.Client, path: str, authorized: bool) -> None:
    headers = AUTHORIZED if authorized else {"Authorization": ""}
    query = {"site_id": "shop", "seconds": "1"} if path == "/live/stream" else {}
    for method in METHODS:
        for accept in ("text/html", "application/json") if method == "GET" else ("*/*",):
            given = headers | {"Accept": accept, "Origin": "https://elsewhere.example"}
            answer = reporting.request(method, path, params=query, headers=given, follow_redirects=False)
            assert answer.status_code < 500 or path in ("/ready", "/imports/nothing"), answer.text
            check(answer)


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_an_odd_host_comes_into_no_answer(reporting: httpx.Client, host: str) -> None:
    for path in paths():
        for accept in ("text/html", "application/json"):
            query = {"site_id": "shop", "seconds": "1"} if path == "/live/stream" else {}
            answer = reporting.get(path, params=query, headers={"Host": host, "Accept": accept}, follow_redirects=False)
            assert MARKER not in answer.text + str(answer.headers), path


@pytest.fixture
def impatient(database_url: str) -> Iterator[httpx.Client]:
    """An app that ends each request at once."""
    one = create_app(msgspec.structs.replace(load(), report_timeout_seconds=1))
    attended(one).seconds = 0
    with TestClient(one) as client:
        client.headers.update(AUTHORIZED)
        yield client


def attended(one: ReportingApp) -> Attended:
    found: Any = one.app
    while not isinstance(found, Attended):
        found = found.__dict__.get("app") or found.litestar
    return found


def test_what_took_too_long_has_them(impatient: httpx.Client) -> None:
    answer = impatient.get("/stats", params={"site_id": "shop"})
    assert answer.status_code == 504
    check(answer)
