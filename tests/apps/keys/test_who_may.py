"""Every route and method, tried by everybody: no answer that is not meant."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from apps.access.guard import guard
from apps.access.needs import ANY_KEY, BY_SITE, NEEDED, PUBLIC
from apps.reporting import app
from apps.web.problems import error_response
from tests.apps.keys.callers import Caller, everybody
from tests.conftest import Connection

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
#: Those that change nothing, which a cookie suffices for.
SAFE = ("GET", "HEAD")
PARAMETERS = {
    "key_id": "5d0c8d6a-0f3f-5f1c-8bb0-c56f1d7f5c9d",
    "letter_id": "5d0c8d6a-0f3f-5f1c-8bb0-c56f1d7f5c9c",
    "event_id": "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f",
    "import_id": "3f9a2c0b7d15",
    "user_id": "health",
    "name": "pages.js",
    "site_id": "SITE",
    "erasure_id": "019b7ca9-8f2e-7cc3-98c4-dc0c0c073991",
    "secret": "tjra_s_" + "0" * 49,
    "path": "nowhere",
}
#: Whoever is let through gets a 400: nothing is to be done here.
QUERY = {"no_such_parameter": "1"}
#: Ends the login that asks for it.
LEFT_OUT = ("/logout",)
#: The router takes these two paths for one.
ONE_PATH = "/people/"


class Route(msgspec.Struct):
    """A path with its parameters filled in, and what its methods need."""

    path: str
    handlers: dict[str, Mapping[str, Any]]


def routes() -> Iterator[Route]:
    for route in app.litestar.routes:
        found: dict[str, Mapping[str, Any]] = {}
        for handler in route.route_handlers:  # type: ignore[union-attr]
            for method in handler.http_methods:
                if method != "OPTIONS":
                    found[method] = handler.opt
        path = "/" + "/".join(
            part if isinstance(part, str) else PARAMETERS[part.name] for part in route.path_components
        )
        if "GET" in found:
            found["HEAD"] = found["GET"]
        yield Route(path, found)


ROUTES = list(routes())


def test_every_route_says_what_it_needs() -> None:
    assert len(ROUTES) > 30
    for route in ROUTES:
        for method, opt in route.handlers.items():
            assert opt.get(NEEDED), f"{method} {route.path} does not say what it needs: opt=needs(...)"


def test_options_lists_the_methods_of_all_handlers(reporting: httpx.Client) -> None:
    for route in ROUTES:
        if route.path.startswith(ONE_PATH):
            continue
        allow = reporting.options(route.path, headers={"Authorization": ""}).headers["allow"]
        assert set(allow.split(", ")) == {*route.handlers, "OPTIONS"}, route.path


def test_one_that_does_not_is_closed() -> None:
    @get("/new")
    async def new() -> str:
        return "secret"

    with TestClient(Litestar([new], guards=[guard], exception_handlers={Exception: error_response})) as client:
        refused = client.get("/new")
    assert (refused.status_code, "secret" in refused.text) == (403, False)


def test_no_answer_that_is_not_meant(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    wrong = []
    for caller in everybody(reporting, conn, shop):
        for route in ROUTES:
            for method in METHODS:
                if route.path in LEFT_OUT or (route.path.startswith(ONE_PATH) and method not in route.handlers):
                    continue
                parameters = QUERY | {"site_id": shop}
                response = reporting.request(
                    method,
                    route.path.replace("SITE", shop),
                    params=parameters,
                    headers=caller.headers,
                    follow_redirects=False,
                )
                meant = expected(caller, route, method, shop)
                if not fits(response, meant):
                    wrong.append(f"{caller.name}: {method} {route.path} {response.status_code}, not {meant}")
                reporting.cookies.clear()
    assert wrong == []


def expected(caller: Caller, route: Route, method: str, site: str) -> int | None:
    """The status of a refusal, or None if the request is let through."""
    if method == "OPTIONS":
        return 204
    opt = route.handlers.get(method)
    if opt is None:
        return 405
    needed = opt[NEEDED]
    if needed == PUBLIC:
        # A page of another origin cannot log anybody in.
        is_login = route.path.startswith(("/login", "/share/")) and method == "POST"
        return 403 if is_login and "another page" in caller.name else None
    if caller.scopes is None:
        return 401
    if method not in SAFE and not caller.may_change:
        return 403
    if needed == ANY_KEY:
        return None
    if not caller.may(needed):
        return 403
    if caller.sites is not None and (site not in caller.sites or not opt.get(BY_SITE)):
        return 403
    return None


def fits(response: httpx.Response, meant: int | None) -> bool:
    if meant is None:
        return response.status_code not in (401, 403, 405, 500)
    if response.status_code != meant:
        return False
    if meant == 401:
        return response.headers["www-authenticate"].startswith("Bearer realm=")
    return (
        meant != 403 or "shop" not in response.text or "not-" in response.text or "is not for the site" in response.text
    )


def test_paths_decide_nothing(reporting: httpx.Client, shop: str) -> None:
    nobody = {"Authorization": ""}
    for path in (
        "/users/x/health",
        "/users//health",
        "/users/x%2Fhealth",
        "/users/x/..%2f..%2fhealth",
        "/stats/",
        "//stats",
        "/schema/../stats",
        "/login/../stats",
        "/stats;/login",
        "/stats%00/login",
        "/LOGIN/stats",
        "/keys/",
        "/keys?/login",
    ):
        response = reporting.get(path, params={"site_id": shop}, headers=nobody, follow_redirects=False)
        assert response.status_code in (401, 404), (path, response.status_code, response.text)


def test_no_key_is_taken_from_the_url(reporting: httpx.Client, shop: str) -> None:
    from tests.servers.key import ADMIN_KEY

    for name in ("key", "access_token", "token", "api_key", "auth", "authorization"):
        response = reporting.get("/stats", params={"site_id": shop, name: ADMIN_KEY}, headers={"Authorization": ""})
        assert response.status_code == 401
        assert ADMIN_KEY not in response.text


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "bearer  ", "Bearer \0", "Bearer a, Bearer b", "Bearer " + "é" * 10]
)
def test_what_cannot_be_read_is_refused(reporting: httpx.Client, shop: str, authorization: str) -> None:
    headers = {"Authorization": authorization.encode()}
    response = reporting.get("/stats", params={"site_id": shop}, headers=headers)  # type: ignore[arg-type]
    assert response.status_code in (400, 401)
    assert 'error="invalid_' in response.headers["www-authenticate"]


def test_the_check_comes_before_the_etag(reporting: httpx.Client, shop: str) -> None:
    asked = {"site_id": shop, "from": "2026-01-01", "to": "2026-01-02"}
    known = reporting.get("/timeseries", params=asked)
    assert known.headers["vary"] == "Accept, Authorization, Cookie"
    same = {"If-None-Match": known.headers["etag"]}
    assert reporting.get("/timeseries", params=asked, headers=same).status_code == 304
    assert reporting.get("/timeseries", params=asked, headers=same | {"Authorization": ""}).status_code == 401
