"""Who may come in after a restore: no revoked key lives again, the keys in use go on, and logins end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from apps.cli import main
from apps.up.data_dir import DataFolder
from db.access import keys, logins
from db.access.keys import Key, NewKey, provision, valid_keys
from db.access.scopes import Scope
from db.access.tokens import new_key
from db.migrations import migrate

Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command on a database without a queue."""
    for name in ("REDIS_URL", "ADMIN_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(url: str, *arguments: str) -> str:
        monkeypatch.setenv("DATABASE_URL", url)
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        return done.output

    return run


def make(url: str, name: str, *, login: bool = False) -> Key:
    """A new key, and a login with it."""

    async def work() -> Key:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            key, _ = await keys.create_key(conn, NewKey(name=name, scopes=[Scope.ADMIN]), by="a test")
            if login:
                await logins.create_login(conn, key.id)
            return key

    return asyncio.run(work())


def valid(url: str) -> list[str]:
    """The names of the keys that are valid."""
    with psycopg.connect(url) as conn:
        return sorted(key.name for key in valid_keys(conn))


def migrated(url: str, given: str | None = None) -> str:
    migrate(url)
    provision(url, given)
    return url


def test_in_place_what_was_revoked_stays_so_what_was_made_goes_on_and_logins_end(
    run: Run, empty_database: Callable[..., str]
) -> None:
    url = migrated(empty_database())
    leaked, kept = make(url, "leaked", login=True), make(url, "kept")
    run(url, "backup", "file", "--without-queue")
    run(url, "key", "revoke", str(leaked.id))
    make(url, "later", login=True)
    told = run(url, "restore", "file", "--replace")
    assert valid(url) == ["first key", "kept", "later"]
    assert "3 keys are valid now" in told
    assert f"{kept.id}  kept (admin)" in told
    assert str(leaked.id) not in told
    assert "tjra key revoke" in told
    with psycopg.connect(url) as conn:
        assert conn.execute("select count(*) from logins").fetchone() == (0,)
        assert conn.execute("select action from audit order by id desc limit 1").fetchone() == ("restore",)


def test_elsewhere_both_admins_keys_work_and_those_of_the_backup_are_told(
    run: Run, empty_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, revoked = new_key("a"), new_key("a")
    old, new = migrated(empty_database(), shared), migrated(empty_database())
    provision(old, revoked)
    make(old, "of the backup")
    with psycopg.connect(old) as conn:
        conn.execute("update keys set revoked_at = now(), name = 'dead' where hash = sha256(%s)", [revoked.encode()])
    for given in (shared, revoked):  # known to both, by other ids
        provision(new, given)
    run(old, "backup", "file", "--without-queue")
    setting = new_key("a")
    monkeypatch.setenv("ADMIN_KEY", setting)
    told = run(new, "restore", "file")
    assert valid(new) == ["ADMIN_KEY", "ADMIN_KEY", "first key", "of the backup"]
    assert "of the backup (admin)" in told
    with psycopg.connect(new) as conn:
        found = conn.execute("select hash = sha256(%s), revoked_at is null from keys", [revoked.encode()]).fetchall()
    assert (True, False) in found


def test_a_backup_from_before_there_were_keys_leaves_a_key_in_the_folder_that_works(
    run: Run, empty_database: Callable[..., str], tmp_path: Path
) -> None:
    url = migrated(empty_database())
    (tmp_path / ".tjra").mkdir()
    DataFolder(tmp_path / ".tjra").write_env({"DATABASE_URL": url})
    with psycopg.connect(url) as conn:
        conn.execute("delete from keys")
    run(url, "backup", "file", "--without-queue")
    told = run(url, "restore", "file", "--replace")
    key = (tmp_path / ".tjra" / "admin-key").read_text().strip()
    assert key not in told  # which may go to a file
    assert str(tmp_path / ".tjra" / "admin-key") in told
    with psycopg.connect(url) as conn:
        assert conn.execute("select name from keys where hash = sha256(%s)", [key.encode()]).fetchall() == [
            ("first key",)
        ]


def test_a_key_of_which_the_backup_cannot_say_what_limits_it_is_revoked(
    run: Run, empty_database: Callable[..., str]
) -> None:
    url = migrated(empty_database())
    run(url, "backup", "file", "--without-queue")
    with psycopg.connect(url) as conn:
        conn.execute("alter table keys add column only_on_sundays boolean not null default true")
    make(url, "later")
    run(url, "restore", "file", "--replace")
    assert valid(url) == []
