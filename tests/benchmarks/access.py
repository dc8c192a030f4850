"""What a report costs more because of its key and its limit: `python -m tests.benchmarks.access`.

The guard (the key from its header, its cached verdict, its scope and sites) and the limit (a bucket in Redis, from
which the process takes some tokens at once), as a request runs them, beside a round trip for each request.
"""

import asyncio
import os
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from litestar.connection import ASGIConnection

from db.access.keys import provision
from db.access.tokens import new_key
from db.migrations import migrate
from db.settings import load
from tests.servers.servers import Servers

#: Requests of a round, and rounds.
REQUESTS, ROUNDS = 20_000, 5


async def measure(key: str) -> None:
    from apps.access.guard import guard
    from apps.access.limits import limit
    from apps.reporting import create_app
    from apps.reports.stats import get_stats

    app = create_app(load())
    handler: Any = next(iter(route for route in app.litestar.routes if route.path == "/stats"))
    handler = handler.route_handlers[0]
    assert handler.fn is get_stats.fn
    limiter = app.litestar.state.limits.reports

    def connection() -> Any:
        headers = [(b"host", b"localhost:3001"), (b"authorization", f"Bearer {key}".encode())]
        query = b"site_id=shop"
        scope: Any = {"type": "http", "method": "GET", "headers": headers, "query_string": query, "scheme": "http"}
        return ASGIConnection(scope | {"litestar_app": app.litestar, "path": "/stats", "client": ("127.0.0.1", 1)})

    async with app.resources.connected():
        for name, at_once in (("tokens for ten requests at once", limiter.at_once), ("a round trip each", 1)):
            limiter.at_once = at_once
            times = []
            for _ in range(ROUNDS * REQUESTS if at_once > 1 else REQUESTS):
                one = connection()
                begin = perf_counter()
                await guard(one, handler)
                await limit(one, handler)
                times.append((perf_counter() - begin) * 1e6)
            mean, (_, *rest) = sum(times) / len(times), quantiles(times, n=100)
            print(f"{name}: mean {mean:.0f} us, median {median(times):.0f} us, 99th percentile {rest[-1]:.0f} us")


def main() -> None:
    servers, key = Servers(), new_key("a")
    os.environ |= {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "ADMIN_KEY": key,
        "REPORTS_PER_MINUTE": "100000000",
    }
    servers.start()
    try:
        migrate(servers.database_url)
        provision(servers.database_url, key)
        asyncio.run(measure(key))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
