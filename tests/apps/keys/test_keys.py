"""Keys through their lives: what is stored of them, how they end, and where they are noted."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from litestar.testing import TestClient

from apps.keys import verdicts
from apps.reporting import ReportingApp, create_app
from db.access.keys import provision
from db.access.tokens import hash_of, is_key, new_key
from db.settings import SettingsError, load
from tests.apps.keys.callers import bearer, create, expire, log_in
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase
from tests.servers.key import ADMIN_KEY

pytestmark = pytest.mark.usefixtures("own_address")

NOBODY = {"Authorization": ""}


@pytest.fixture
def another(database_url: str) -> Iterator[tuple[httpx.Client, ReportingApp]]:
    """Another process of the reporting app, as far as its memory goes."""
    app = create_app(load())
    with TestClient(app) as client:
        yield client, app


def is_in(client: httpx.Client, headers: dict[str, str]) -> bool:
    status = client.get("/me", headers=headers).status_code
    assert status in (200, 401)
    return status == 200


def test_a_key_has_256_random_bits_and_a_checksum() -> None:
    keys = {new_key("k") for _ in range(1_000)}
    assert len(keys) == 1_000
    for key in keys:
        assert re.fullmatch(r"tjra_k_[0-9A-Za-z]{49}", key)
        assert is_key(key)
        assert not is_key(key[:20] + ("x" if key[20] != "x" else "y") + key[21:])
    assert not any(map(is_key, ("", "tjra_k_", "tjra_K_" + "0" * 49, "tjra_k_" + "0" * 49, "é" * 56)))


def test_its_secret_is_shown_once_and_not_stored(reporting: httpx.Client, conn: Connection) -> None:
    key, secret = create(reporting, "reports:read")
    row = conn.execute("select hash, keys::text from keys where id = %s", [key.id]).fetchone()
    assert row
    assert row[0] == hash_of(secret)
    assert secret not in row[1]
    assert secret.startswith(key.prefix)
    listed = reporting.get("/keys").text
    assert str(key.id) in listed
    assert secret not in listed


def test_a_revoked_one_is_dead_in_every_process_and_so_are_its_logins(
    reporting: httpx.Client, another: tuple[httpx.Client, ReportingApp]
) -> None:
    other, app = another
    key, secret = create(reporting, "reports:read")
    cookie = log_in(reporting, secret) | NOBODY
    for client in (reporting, other):
        assert is_in(client, bearer(secret))
        assert is_in(client, cookie)
    assert reporting.delete(f"/keys/{key.id}").json()["revoked_at"]
    assert not is_in(reporting, bearer(secret))  # at once where it was revoked
    assert not is_in(reporting, cookie)
    assert verdicts.HOLDS <= 10
    remembered = app.access.verdicts.known
    for name, verdict in list(remembered.items()):  # the time passes
        remembered[name] = verdict._replace(asked=verdict.asked - verdicts.HOLDS)
    assert not is_in(other, bearer(secret))
    assert not is_in(other, cookie)
    assert reporting.delete(f"/keys/{key.id}").status_code == 200  # again: as it was


def test_one_that_has_expired_is_dead(reporting: httpx.Client, conn: Connection) -> None:
    key, secret = create(reporting, "reports:read")
    expire(conn, key)
    assert not is_in(reporting, bearer(secret))


def test_one_that_ends_is_dead_at_that_moment_and_so_is_its_login(
    reporting: httpx.Client, reporting_app: ReportingApp, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = create(reporting, "reports:read")
    conn.execute("update keys set expires_at = now() + interval '1 hour' where id = %s", [key.id])
    cookie = log_in(reporting, secret) | NOBODY
    assert is_in(reporting, bearer(secret))
    assert is_in(reporting, cookie)

    # While the verdict is still known.
    monkeypatch.setattr(reporting_app.access.verdicts, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
    assert not is_in(reporting, bearer(secret))
    assert not is_in(reporting, cookie)


def test_a_rotated_one_is_valid_until_the_overlap_is_over(reporting: httpx.Client, conn: Connection) -> None:
    key, secret = create(reporting, "reports:read", sites=["shop"])
    rotated = reporting.post(f"/keys/{key.id}/rotate", params={"overlap_hours": 1}).json()
    assert (rotated["key"]["scopes"], rotated["key"]["sites"]) == (["reports:read"], ["shop"])
    assert is_in(reporting, bearer(rotated["secret"]))
    assert is_in(reporting, bearer(secret))
    row = conn.execute(
        "select expires_at, expires_at between now() and now() + '1 hour' from keys where id = %s", [key.id]
    )
    assert row.fetchone() == (datetime.fromisoformat(rotated["old_valid_until"]), True)
    reporting.delete(f"/keys/{key.id}")
    assert reporting.post(f"/keys/{key.id}/rotate").status_code == 404


def test_a_rotated_one_is_dead_at_the_moment_that_was_said(
    reporting: httpx.Client, reporting_app: ReportingApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = create(reporting, "reports:read")
    cookie = log_in(reporting, secret) | NOBODY
    assert is_in(reporting, bearer(secret))  # and is known for ten seconds, as one without an end
    assert is_in(reporting, cookie)
    said = reporting.post(f"/keys/{key.id}/rotate", params={"overlap_hours": 1}).json()["old_valid_until"]
    end = datetime.fromisoformat(said)
    for time, valid in ((end - timedelta(microseconds=1), True), (end, False)):
        monkeypatch.setattr(reporting_app.access.verdicts, "now", lambda time=time: time)
        assert is_in(reporting, bearer(secret)) is valid
        assert is_in(reporting, cookie) is valid


def test_without_an_overlap_the_old_one_is_dead_at_once_where_it_was_rotated(reporting: httpx.Client) -> None:
    key, secret = create(reporting, "reports:read")
    assert is_in(reporting, bearer(secret))
    rotated = reporting.post(f"/keys/{key.id}/rotate", params={"overlap_hours": 0}).json()
    assert not is_in(reporting, bearer(secret))
    assert is_in(reporting, bearer(rotated["secret"]))


def test_what_is_used_is_noted_in_the_background(conn: Connection, database_url: str) -> None:
    app = create_app(load())
    app.access.verdicts.note_pause = 0.05
    with TestClient(app) as client:
        client.headers.update(bearer(ADMIN_KEY))
        key, secret = create(client, "reports:read")
        assert key.last_used_at is None
        assert is_in(client, bearer(secret))
        query = "select last_used_at is not null from keys where id = %s"
        for _ in range(100):
            if conn.execute(query, [key.id]).fetchone() == (True,):
                return
            asyncio.run(asyncio.sleep(0.05))
    raise AssertionError("it was not noted")


def test_who_did_what_is_noted(reporting: httpx.Client) -> None:
    key, _ = create(reporting, "reports:read")
    reporting.delete(f"/keys/{key.id}")
    revoked, created = reporting.get("/audit", params={"limit": 2}).json()["entries"]
    assert (revoked["action"], created["action"]) == ("key.revoke", "key.create")
    assert created["details"]["sites"] is created["details"]["expires_at"] is None
    assert created["details"]["key"] == revoked["details"]["key"] == str(key.id)
    assert created["actor"].startswith("ADMIN_KEY (")
    before = reporting.get("/audit", params={"limit": 1, "before": revoked["id"]}).json()["entries"]
    assert before == [created]


def test_the_first_start_makes_one_key_and_no_second(empty_database: EmptyDatabase) -> None:
    from db.migrations import migrate

    url = empty_database()
    migrate(url)
    first = provision(url, None)
    assert first
    assert is_key(first)
    assert provision(url, None) is None
    given = new_key("a")
    for _ in range(2):
        assert provision(url, given) is None
    with pytest.raises(SettingsError, match="ADMIN_KEY is mistyped"):
        provision(url, given[:-1] + ("A" if given[-1] != "A" else "B"))


def test_while_the_database_is_away_nobody_new_comes_in(servers: object, tmp_path: Path) -> None:
    settings = load({"DATABASE_URL": "postgresql://tjra@127.0.0.1:1/tjra", "REDIS_URL": "redis://127.0.0.1:1"})
    with TestClient(create_app(settings)) as client:
        assert client.get("/me", headers=bearer(ADMIN_KEY)).status_code == 503
        assert client.get("/me").status_code == 401
        assert client.get("/health").status_code == 200
