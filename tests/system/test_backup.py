"""`tjra backup`, `tjra restore` and `tjra psql`, while everything runs: what was accepted is there again, elsewhere."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from tests.builders.factories import event
from tests.servers.servers import temporary_folder, until
from tests.servers.stack import Stack, clean_environment, send

SITE = "shop'\\ ✓"
#: What reports are made of and is written with the events; what maintenance writes later, `tjra verify` looks at.
TABLES = ["events", "event_hours", "path_days", "user_days", "users", "orders", "sale_days"]


@pytest.fixture(scope="module")
def stacks() -> Iterator[tuple[Stack, Stack]]:
    """Two systems: one that has lived, and a fresh one."""
    folder = temporary_folder()
    both = Stack(folder / "old" / "data"), Stack(folder / "new" / "data")
    for stack in both:
        stack.wait_until_up()
    yield both
    with ThreadPoolExecutor() as threads:
        assert list(threads.map(Stack.stop, both)) == [0, 0]
    shutil.rmtree(folder)


def tjra(stack: Stack, *arguments: str) -> str:
    """What a command says that has no address but the folder of data."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "apps", *arguments],
        env=clean_environment() | {"DATA_DIR": str(stack.data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def some_events(count: int, site: str = SITE) -> list[dict[str, Any]]:
    return [
        event(
            site,
            event_id=str(uuid4()),
            event_type=("page_view", "click", "purchase")[number % 3],
            user_id=f"{number % 7}",
            path=f"/{number % 5}",
            timestamp=f"2026-03-{1 + number % 28:02}T10:00:{number % 60:02}Z",
            properties={"revenue": number, "currency": "EUR", "order_id": str(uuid4())},
        )
        for number in range(count)
    ]


def rows(stack: Stack, table: str, but: str = "") -> list[str]:
    """All rows of a table, as text, but those of a site."""
    with stack.connect() as conn:
        return sorted(
            text
            for (text, site) in conn.execute(f"select t::text, to_jsonb(t)->>'site_id' from {table} t".encode())
            if site != but
        )


def stored(stack: Stack) -> set[str]:
    with stack.connect() as conn:
        return {str(found) for (found,) in conn.execute("select event_id from events")}


def test_what_was_accepted_before_a_backup_began_is_restored_elsewhere(
    stacks: tuple[Stack, Stack], tmp_path: Path
) -> None:
    old, new = stacks
    accepted: list[str] = []
    stopped = Event()

    def load() -> None:
        # With pauses: a backup beside more than two processors can do takes long, and shows nothing else.
        while not stopped.wait(0.05):
            events = some_events(20)
            send(old.ingestion, events)
            accepted.extend(each["event_id"] for each in events)

    with ThreadPoolExecutor(3) as threads:
        loading = [threads.submit(load) for _ in range(3)]
        until(lambda: len(accepted) > 300)
        before = set(accepted)
        tjra(old, "backup", str(tmp_path / "loaded"))
        stopped.set()
        for each in loading:
            each.result()
    assert (tmp_path / "loaded").stat().st_mode & 0o777 == 0o600
    assert len(accepted) > len(before)
    assert "restored: all events accepted before" in tjra(new, "restore", str(tmp_path / "loaded"))
    until(lambda: before <= stored(new))
    tjra(new, "verify")

    # At rest all tables are the same; what is stored meanwhile where it is restored waits, and is not lost.
    until(lambda: set(accepted) <= stored(old))
    tjra(old, "backup", str(tmp_path / "rested"))
    sent = some_events(10, site="other")
    with ThreadPoolExecutor(1) as threads:
        sending = [threads.submit(send, new.ingestion, [each]) for each in sent]
        tjra(new, "restore", str(tmp_path / "rested"), "--replace")
        for each in sending:
            each.result()
    send(new.ingestion, [event("other", event_id=str(uuid4()))])
    until(lambda: any("other" in row for row in rows(new, "sites")))
    for table in TABLES:
        assert rows(new, table, "other") == rows(old, table), table
    tjra(new, "verify")


def test_psql_is_connected(stacks: tuple[Stack, Stack]) -> None:
    assert tjra(stacks[0], "psql", "-tAc", "select count(*) from kept_events") == "0\n"
