"""The first key is seen in a terminal or lies in the data folder: output that goes elsewhere never has it."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import httpx
import psycopg
import pytest

from apps.up.data_dir import DataFolder
from db.access.tokens import hash_of
from tests.servers.servers import Redis
from tests.servers.stack import FREE_PORTS, clean_environment

KEY = re.compile(r"tjra_[a-z]_\w+")
Database = Callable[..., str]


@contextmanager
def output(seen: bool) -> Iterator[tuple[int, Callable[[str], str]]]:
    """Where a command writes, a terminal or a pipe, and what it has written once that has a text."""
    ours, theirs = pty.openpty() if seen else os.pipe()

    def read(until: str) -> str:
        written, deadline = "", monotonic() + 60
        while until not in written:
            assert select.select([ours], [], [], max(0.0, deadline - monotonic()))[0], written
            more = os.read(ours, 65_536)
            assert more, written
            written += more.decode().replace("\r\n", "\n")
        return written

    try:
        yield theirs, read
    finally:
        os.close(ours)
        os.close(theirs)


def environment(**settings: str) -> dict[str, str]:
    bare = {name: value for name, value in clean_environment().items() if name not in ("ADMIN_KEY", "DATA_DIR")}
    return bare | settings


def holders(url: str, key: str) -> list[str]:
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute("select name from keys where hash = %s", [hash_of(key)]).fetchall()]


def migrated(url: str, folder: Path, *, seen: bool) -> str:
    """What `tjra migrate` writes, which is run in a folder."""
    with output(seen) as (theirs, read):
        command = [sys.executable, "-P", "-m", "apps", "migrate"]
        done = subprocess.run(
            command, cwd=folder, env=environment(DATABASE_URL=url), stdout=theirs, stderr=subprocess.PIPE, check=False
        )
        assert (done.returncode, KEY.findall(done.stderr.decode())) == (0, [])
        os.write(theirs, b"\nend\n")
        return read("end\n")


@pytest.mark.some(1)
@pytest.mark.parametrize("seen", [False, True])
def test_up_shows_the_link_in_a_terminal_only(
    empty_database: Database, redis: Redis, tmp_path: Path, seen: bool
) -> None:
    data = tmp_path / ".tjra"
    given = environment(DATABASE_URL=empty_database(), REDIS_URL=redis.server.url)
    command = [sys.executable, "-P", "-m", "apps", "up", "--data-dir", str(data), *FREE_PORTS]
    with output(seen) as (theirs, read):
        process = subprocess.Popen(command, env=given, stdout=theirs, stderr=theirs, start_new_session=True)
        try:
            told = read("everything is up")
            file = data / "admin-key"
            key = file.read_text().strip()
            assert file.stat().st_mode & 0o777 == 0o600
            assert str(file) in told
            assert ([*set(KEY.findall(told))] == [key]) is seen
            assert (f"/login#key={key}" in told) is seen
            assert all(key not in log.read_text() for log in data.glob("*.log"))
            (page,) = re.findall(r"http://[\w.:]+/login", told)
            assert httpx.post(page, json={"key": key}).json()["name"] == "first key"
        finally:
            process.terminate()
            process.wait(60)


def test_migrate_makes_the_first_key_where_it_can_be_told(empty_database: Database, tmp_path: Path) -> None:
    url = empty_database()
    for _ in range(2):
        unseen = migrated(url, tmp_path, seen=False)
        assert KEY.findall(unseen) == []
        assert "`tjra key create NAME --scope admin` makes a key" in unseen
    (key,) = KEY.findall(migrated(url, tmp_path, seen=True))
    assert holders(url, key) == ["first key"]
    assert "admin" not in migrated(url, tmp_path, seen=False)


def test_migrate_leaves_the_key_in_the_folder_of_its_database(empty_database: Database, tmp_path: Path) -> None:
    url = empty_database()
    data = tmp_path / ".tjra"
    data.mkdir()
    DataFolder(data).write_env({"DATABASE_URL": url})
    told = migrated(url, tmp_path, seen=False)
    assert KEY.findall(told) == []
    assert str(data / "admin-key") in told
    assert holders(url, (data / "admin-key").read_text().strip()) == ["first key"]
