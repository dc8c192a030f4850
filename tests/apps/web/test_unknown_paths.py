"""A path or a method that there is not: the problem says where all are described, and which path may be meant."""

import httpx
import pytest

from tests.apps.events.test_bad_requests import BAD_PATHS
from tests.apps.web.test_openapi import client, operations
from tests.servers.key import AUTHORIZED
from tests.servers.serving import Served

__all__ = ["client"]


def detail(refused: httpx.Response, status: int) -> str:
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    problem = refused.json()
    assert problem["status"] == status
    return str(problem["detail"])


def test_an_unknown_path_is_told_where_all_are_described(client: httpx.Client) -> None:
    for method in ("GET", "POST", "DELETE"):
        told = detail(client.request(method, "/nothing/like/this"), 404)
        name = client.get("/", headers=AUTHORIZED).json()["name"].rpartition(": ")[2]
        assert told == f"the {name} API has no path '/nothing/like/this'; /schema describes all paths"
    assert client.get("/schema", headers=AUTHORIZED).status_code == 200


@pytest.mark.parametrize(
    ("app", "path", "meant"),
    [
        ("reporting", "/revenu", "/revenue"),
        ("reporting", "/Stats", "/stats"),
        ("reporting", "/stat/", "/stats"),
        ("reporting", "/event", "/events"),
        ("reporting", "/user/ann", "/users/{user_id}"),
        ("reporting", "/deadletters", "/dead-letters"),
        ("reporting", "/import/3f9a2c0b7d15/outcome", "/imports/{import_id}/outcome"),
        ("ingestion", "/evnts", "/events"),
        ("ingestion", "/api/sent", "/api/send"),
        ("ingestion", "/tracker.jss", "/tracker.js"),
    ],
)
def test_the_path_that_may_be_meant_is_named(request: pytest.FixtureRequest, app: str, path: str, meant: str) -> None:
    client: httpx.Client = request.getfixturevalue(app)
    assert f"; is {meant} meant?; /schema" in detail(client.get(path), 404)


def test_every_mistyped_path_finds_its_own(client: httpx.Client) -> None:
    paths = {name.split()[1] for name in operations(client)}
    for path in paths:
        refused = client.get(path + "q")
        if "{" not in path and len(path) > 3 and refused.status_code != 405:  # of /v1/{call} any call is a path
            assert "; is " in detail(refused, 404), path


def test_an_id_of_another_form_is_told_so(reporting: httpx.Client) -> None:
    told = detail(reporting.get("/events/7", params={"site_id": "shop"}), 404)
    assert "(in /events/{event_id}, event_id should be a UUID)" in told
    documented = operations(reporting)["GET /events/{event_id}"]["responses"]["404"]["content"]
    (example,) = documented["application/problem+json"]["examples"].values()
    assert example["value"]["detail"] == told


def test_no_path_is_named_that_does_something_else(reporting: httpx.Client) -> None:
    for asked in ("replay", "discard"):
        told = detail(reporting.post(f"/dead-letters/999999/{asked}"), 404)
        assert "there is no such letter (in " in told
        assert {"replay": "discard", "discard": "replay"}[asked] not in told
    assert "discard" not in detail(reporting.post("/dead-letters/999999/repla"), 404)


def test_a_method_that_is_not_allowed_is_told_which_are(client: httpx.Client) -> None:
    allowed: dict[str, set[str]] = {}
    for name in operations(client):
        method, path = name.split()
        allowed.setdefault(path, set()).add(method)
    for path, methods in allowed.items():
        if "{" not in path:
            names = " and ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
            refused = client.request("PATCH", path)
            assert detail(refused, 405) == f"this path takes {names} only; /schema describes all paths", path
            assert methods <= {one.strip() for one in refused.headers["allow"].split(",")}


@pytest.mark.parametrize("served", ["ingestion_server", "reporting_server"])
def test_hostile_paths_are_shown_short_and_escaped(request: pytest.FixtureRequest, served: str) -> None:
    server: Served = request.getfixturevalue(served)
    for path in (*BAD_PATHS, "/%0d%0ax:y", "/%1b[31m", "/<script>", "/" + "%00" * 10_000, "/%e2%80%ae", "/%ed%a0%80"):
        answer = server.exchange(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode("latin-1"))
        head, _, body = answer.partition(b"\r\n\r\n")
        if b" 404 " in head.partition(b"\r\n")[0] and b"text/html" not in head:  # /schema has a page for it
            assert b"application/problem+json" in head
            assert len(body) < 1_000
            assert not any(byte < 32 or byte == 127 for byte in body)
            assert "\u202e" not in body.decode()
