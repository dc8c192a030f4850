"""Every route of both apps, asked by nobody and by an admin: no cache may give one's response to the other."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from litestar import Litestar

from apps.access.needs import NEEDED, PUBLIC
from apps.ingestion import app as ingestion_app
from apps.reporting import app as reporting_app
from tests.apps.keys.callers import SAME_ORIGIN, log_in
from tests.servers.key import ADMIN_KEY, AUTHORIZED

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
UUID = "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"
#: Values of the parameters of paths that are no UUIDs, by which there is something.
PARAMETERS = {"name": "pages.js", "import_id": "3f9a2c0b7d15", "secret": "tjra_s_" + "0" * 49}
APPS = {"ingestion": ingestion_app.litestar, "reporting": reporting_app.litestar}
#: It ends the login that asks for it.
LEFT_OUT = "/logout"


def paths(app: Litestar) -> Iterator[tuple[str, set[str]]]:
    """Each path, and the methods that anybody may use."""
    for route in app.routes:
        parts = []
        for part in route.path_components:
            if isinstance(part, str):
                parts.append(part)
            else:
                parts.append(PARAMETERS.get(part.name, UUID if part.type.__name__ == "UUID" else "shop"))
        handlers: Any = getattr(route, "route_handlers", ())
        public = {method for one in handlers if one.opt.get(NEEDED) == PUBLIC for method in one.http_methods}
        yield "/" + "/".join(parts), public | ({"HEAD"} if "GET" in public else set())
    yield "/nowhere", set()


def parts(response: httpx.Response, name: str) -> set[str]:
    return {part.strip().lower() for part in response.headers.get(name, "").split(",") if part.strip()}


@pytest.mark.parametrize("name", APPS)
def test_no_cache_gives_what_a_key_or_login_decides_about_to_somebody_else(
    name: str, ingestion: httpx.Client, reporting: httpx.Client, shop: str
) -> None:
    client = ingestion if name == "ingestion" else reporting
    login = log_in(reporting, ADMIN_KEY) | {"Authorization": ""} | SAME_ORIGIN
    callers = {"nobody": {"Authorization": ""}, "a key": AUTHORIZED, "a login": login}
    wrong = []
    for path, public in paths(APPS[name]):
        for method in METHODS:
            if path == LEFT_OUT or (name == "ingestion" and method not in ("GET", "HEAD")):
                continue
            for accept in ("application/json", "text/html")[: 2 if method == "GET" else 1]:
                found = {}
                for caller, headers in callers.items():
                    query = {"site_id": shop, "seconds": "1", "no_such_parameter": "1"}
                    if method in ("GET", "HEAD"):
                        del query["no_such_parameter"]  # all that there is to read is read
                    client.cookies.clear()
                    response = client.request(method, path, params=query, headers=headers | {"Accept": accept})
                    caching, depends_on = parts(response, "cache-control"), parts(response, "vary")
                    found[caller] = response.status_code, response.content
                    where = f"{caller}: {method} {path} {response.status_code} {caching} {depends_on}"
                    if "public" in caching:
                        if method not in public or "set-cookie" in response.headers:
                            wrong.append(f"is public: {where}")
                    elif not {"no-store", "private"} & caching:
                        wrong.append(f"may be kept by any cache: {where}")
                    elif "no-store" not in caching and not {"authorization", "cookie"} <= depends_on:
                        wrong.append(f"says not what it depends on: {where}")
                    elif len(response.headers.get_list("vary")) > 1:
                        wrong.append(f"says twice what it depends on: {where}")
                    if "public" in caching and len(set(found.values())) > 1:
                        wrong.append(f"is public and depends on who asks: {where}")
    client.cookies.clear()
    assert wrong == []
