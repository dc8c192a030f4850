"""Making keys, by the API and from the command line: what is refused, what is told, and what changes nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.access.scopes import Scope
from db.access.tokens import is_key
from tests.apps.keys.callers import bearer, create
from tests.apps.keys.test_keys import is_in
from tests.conftest import Connection


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "", "scopes": ["admin"]}, "name"),
        ({"name": "x"}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["reports"]}, "scopes"),
        ({"name": "x", "scopes": ["admin"], "sites": []}, "sites"),
        ({"name": "x", "scopes": ["admin"], "sites": "shop"}, "sites"),
        ({"name": "x", "scopes": ["admin"], "expires_at": "2026-01-01"}, "expires_at"),
        ({"name": "x", "scopes": ["admin"], "expires_at": "2026-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "scopes": ["admin"], "scope": "y"}, "scope"),
        ({"name": "x\0", "scopes": ["admin"]}, "name"),
    ],
)
def test_a_bad_one_is_refused_by_name(reporting: httpx.Client, body: dict[str, object], field: str) -> None:
    response = reporting.post("/keys", json=body)
    assert response.status_code == 400, response.text
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert error["allowed"]
    if field == "scopes":
        assert all(scope in error["allowed"] for scope in Scope)
    if field == "scope":
        assert error["allowed"] == "one of name, scopes, sites, expires_at, expires_in_days"


def test_an_end_is_a_time_or_days_from_now(reporting: httpx.Client) -> None:
    body = {"name": "x", "scopes": ["reports:read"], "expires_in_days": 90}
    made = reporting.post("/keys", json=body).json()["key"]
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)
    both = reporting.post("/keys", json=body | {"expires_at": "2100-01-01T00:00:00Z"})
    assert (both.status_code, both.json()["errors"][0]["field"]) == (400, "expires_in_days")


def test_a_dry_run_checks_and_changes_nothing(reporting: httpx.Client, conn: Connection) -> None:
    key, secret = create(reporting, "reports:read", sites=["shop"])
    every = "select keys::text from keys order by id"
    before = conn.execute(every).fetchall()
    dry = {"dry_run": "true"}
    for answer in (
        reporting.post("/keys", json={"name": "x", "scopes": ["admin"]}, params=dry),
        reporting.post("/keys/share", json={"name": "x", "site_id": "shop", "password": "correct horse"}, params=dry),
        reporting.delete(f"/keys/{key.id}", params=dry),
        reporting.post(f"/keys/{key.id}/rotate", params=dry),
    ):
        assert answer.status_code == 200, answer.text
    assert conn.execute(every).fetchall() == before
    assert is_in(reporting, bearer(secret))
    assert reporting.post("/keys", json={"name": "x", "scopes": ["all"]}, params=dry).status_code == 400
    assert reporting.post(f"/keys/{UUID(int=1)}/rotate", params=dry).status_code == 404


def test_from_the_command_line(database_url: str, reporting: httpx.Client) -> None:
    told: list[str] = []

    def tjra(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["key", *arguments])
        assert done.exit_code == 0, done.output
        told.append(done.stderr)
        return done.stdout.strip()

    secret = tjra("create", "Grafana", "--scope", "reports:read", "--site", "shop", "--expires", "90d")
    me = reporting.get("/me", headers=bearer(secret)).json()
    assert told[-1] == f"its id, for `tjra key revoke`: {me['key_id']}\n"
    noted = reporting.get("/audit", params={"limit": 1}).json()["entries"][0]["details"]
    assert noted["sites"] == ["shop"]
    assert noted["expires_at"]
    assert (me["name"], me["scopes"], me["sites"]) == ("Grafana", ["reports:read"], ["shop"])
    assert me["key_id"] in tjra("list")
    rotated = tjra("rotate", me["key_id"], "--overlap", "0h")
    assert is_in(reporting, bearer(rotated))
    rotated_id = reporting.get("/me", headers=bearer(rotated)).json()["key_id"]
    assert tjra("revoke", rotated_id) == "Grafana is revoked"
    assert tjra("revoke", rotated_id) == "Grafana was revoked before"
    assert is_key(tjra("new"))
    for wrong in (
        ["revoke", str(UUID(int=1))],
        ["rotate", str(UUID(int=1))],
        ["create", "x", "--scope", "everything"],
        ["create", "x", "--scope", "admin", "--expires", "soon"],
    ):
        failed = CliRunner().invoke(main, ["key", *wrong])
        assert failed.exit_code
        assert "Traceback" not in failed.output
