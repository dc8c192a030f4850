"""`tjra timezone` and PUT /timezone."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from litestar.testing import TestClient

from apps.cli import main
from apps.reporting import ReportingApp
from apps.reporting_resources import ReportingResources
from db.settings import load
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.key import AUTHORIZED


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def test_the_command_sets_and_shows_it(conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop, timestamp="2026-03-10T23:30:00Z")))
    assert run("timezone", "--site", shop).output == "UTC\n"
    assert run("timezone", "--site", shop, "Europe/Berlin").output == "Europe/Berlin (was UTC)\n"
    assert run("timezone", "--site", shop, "Europe/Berlin").output == "Europe/Berlin\n"
    assert run("timezone", "--site", shop).output == "Europe/Berlin\n"
    assert differences(conn, shop) == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--site", "never-seen", "UTC"], "there is no site 'never-seen'"),
        (["--site", "never-seen"], "there is no site 'never-seen'"),
        (["UTC"], "Missing option '--site'"),
    ],
)
def test_the_command_says_what_is_wrong(database_url: str, arguments: list[str], told: str) -> None:
    done = run("timezone", *arguments)
    assert done.exit_code == 2
    assert told in done.stderr


HINTS = [
    ("Europe/Berln", "; is Europe/Berlin meant?"),
    ("europe/berlin", "; is Europe/Berlin meant?"),
    ("berlin", "; is Europe/Berlin meant?"),
    ("New York", "; is America/New_York meant?"),
    ("+02", ""),
    ("localtime", ""),
]


@pytest.mark.parametrize(("wrong", "hint"), HINTS)
def test_the_command_and_the_api_name_what_may_be_meant(
    reporting: httpx.Client, conn: Connection, shop: str, wrong: str, hint: str
) -> None:
    store_events(conn, batch(received(shop)))
    done = run("timezone", "--site", shop, wrong)
    assert done.exit_code == 2
    assert f"{wrong!r} is unknown{hint}\n" in done.stderr
    answer = reporting.put("/timezone", params={"site_id": shop, "timezone": wrong})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "timezone"
    assert error["reason"] == f"{wrong!r} is unknown{hint}"


@pytest.fixture
def impatient(database_url: str) -> Iterator[httpx.Client]:
    """A reporting app that does not wait long for a worker."""
    with TestClient(ReportingApp(ReportingResources(load(), worker_timeout=0.2))) as client:
        client.headers.update(AUTHORIZED)
        yield client


def test_without_a_worker_it_is_in_the_queue(impatient: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop)))
    answer = impatient.put("/timezone", params={"site_id": shop, "timezone": "Europe/Berlin"})
    assert (answer.status_code, answer.json()) == (202, {"site_id": shop, "timezone": "UTC"})
    answer = impatient.put("/timezone", params={"site_id": shop, "timezone": "UTC"})
    assert (answer.status_code, answer.json()) == (200, {"site_id": shop, "timezone": "UTC"})


@pytest.mark.usefixtures("worker")
def test_the_worker_sets_it_of_any_site(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    for site in (shop, f"a/b?c#d {shop}"):
        store_events(conn, batch(received(site, timestamp="2026-03-10T23:30:00Z")))
        answer = reporting.put("/timezone", params={"site_id": site, "timezone": "Europe/Berlin"})
        assert (answer.status_code, answer.json()) == (200, {"site_id": site, "timezone": "Europe/Berlin"})
        stats = reporting.get("/stats", params={"site_id": site, "date": "2026-03-11"}).json()
        assert stats["total_views"] == 1
        assert differences(conn, site) == {}


def test_a_site_that_is_not_there_is_not_made(reporting: httpx.Client, conn: Connection) -> None:
    answer = reporting.put("/timezone", params={"site_id": "never-seen", "timezone": "UTC"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no site 'never-seen'")
    assert reporting.put("/timezone", params={"site_id": "never-seen"}).status_code == 400
    assert conn.execute("select from sites where site_id = 'never-seen'").fetchall() == []
