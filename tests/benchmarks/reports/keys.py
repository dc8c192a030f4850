"""What a key costs a report: `python -m tests.benchmarks.reports.keys`.

GET /stats of three apps side by side, one request after the other in turns: without keys (AUTH=off), with a key, with a
login's cookie.
"""

import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import httpx

from db.access.keys import provision
from db.connections.pools import connect
from db.migrations import migrate
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.servers.key import ADMIN_KEY, AUTHORIZED
from tests.servers.servers import Servers
from tests.servers.serving import serve

REQUESTS = 3_000


def main() -> None:
    servers = Servers()
    servers.start()
    try:
        migrate(servers.database_url)
        provision(servers.database_url, ADMIN_KEY)
        with connect(servers.database_url) as conn:
            store_events(conn, batch(*(received("shop", path=f"/{number}") for number in range(1_000))))
        os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            off = stack.enter_context(serve("reporting", folder, AUTH="off"))
            on = stack.enter_context(serve("reporting", folder))
            login = httpx.post(f"{on.url}/login", json={"key": ADMIN_KEY}).headers["set-cookie"].partition(";")[0]
            sides = {
                "without keys": (HTTPConnection(*off.address), {}),
                "with a key": (HTTPConnection(*on.address), AUTHORIZED),
                "with a login": (HTTPConnection(*on.address), {"Cookie": login}),
            }
            times: dict[str, list[float]] = {name: [] for name in sides}
            for _ in range(REQUESTS):
                for name, (connection, headers) in sides.items():
                    times[name].append(milliseconds(connection, headers))
        before = statistics.median(times["without keys"])
        for name, found in times.items():
            median = statistics.median(found)
            print(f"{name}: median {median:.3f} ms ({median - before:+.3f} ms, ratio {median / before:.3f})")
    finally:
        servers.stop()


def milliseconds(connection: HTTPConnection, headers: dict[str, str]) -> float:
    before = time.perf_counter()
    connection.request("GET", "/stats?site_id=shop", headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return (time.perf_counter() - before) * 1000


if __name__ == "__main__":
    main()
