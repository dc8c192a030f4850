"""Behind a proxy that serves the apps under a path of its own: `uvicorn --root-path /api`."""

from typing import Any, cast

import httpx
import pytest

from tests.builders.factories import event
from tests.servers.key import AUTHORIZED
from tests.servers.servers import until
from tests.servers.watched_queue import App

pytestmark = pytest.mark.usefixtures("worker")


def ask(client: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
    """What the app of this client answers, asked as uvicorn does with a root path."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app=cast("App", client).app, root_path="/api")
        async with httpx.AsyncClient(transport=transport, base_url="http://proxy", headers=AUTHORIZED) as proxy:
            return await proxy.request(method, f"/api{path}", **options)

    with cast("App", client).portal() as portal:
        answer: httpx.Response = portal.call(request)
        return answer


@pytest.mark.parametrize("user", ["ann", "a/b c", "/api/users/x"])
def test_every_path_is_found(ingestion: httpx.Client, reporting: httpx.Client, shop: str, user: str) -> None:
    sent = event(shop, user_id=user, timestamp=None)
    answer = ask(ingestion, "POST", "/event", json=sent)
    assert answer.status_code == 202
    script = ask(ingestion, "GET", "/tracker.js", headers={"Origin": "https://shop.example"})
    assert script.headers["access-control-allow-origin"] == "*"

    def known() -> bool:
        return views() == 1

    def views() -> int:
        report = ask(reporting, "GET", "/stats", params={"site_id": shop})
        return int(report.json()["total_views"])

    until(known)
    path = "/users/" + "".join(f"%{byte:02x}" for byte in user.encode())
    found = ask(reporting, "GET", path, params={"site_id": shop})
    assert found.status_code == 200, found.text
    assert found.json()["user_id"] == user
