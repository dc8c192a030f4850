"""`tjra backup FILE`: a backup of all accepted events in one file, while everything runs."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import click

from apps.backup.archive import FORMAT, About, database_member, new_archive, write_about, write_messages
from apps.backup.programs import connection, programs
from apps.commands.shared.database import database
from db import backups
from db.ledger import balance
from db.migrations import unfit
from db.settings import load

CHUNK = 1024 * 1024

WITHOUT_QUEUE = "--without-queue leaves out events that are accepted but not stored yet"


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--without-queue", is_flag=True, help="Leave out the events in the queue; Redis is not needed.")
def backup_command(file: Path, without_queue: bool) -> None:
    """Write a backup to FILE, readable only by you; FILE must not exist yet. Everything can keep running.

    It contains a consistent snapshot of the database and the events in the queue: every event that was accepted (202)
    before the backup began. It does not contain the settings, the daily salt of visitor ids, and requests to set a
    timezone that are still in the queue. `tjra restore FILE` restores it.
    """
    settings = load()
    database_url = settings.required("database_url")
    began = datetime.now(UTC)
    with database() as conn:
        there = backups.facts(conn)
        if there.citus:
            raise click.ClickException(
                "this database is distributed over nodes by Citus, and pg_dump cannot make a consistent backup of it: "
                "back up each node as described in the manual of Citus"
            )
        if there.schema is None or not there.migrated:
            raise click.ClickException("there is nothing to back up: the database has no tables of tjra")
        applied = backups.applied(conn)
        if reason := unfit(applied):
            raise click.ClickException(reason)
        left_out = backups.tables_of_others(conn)
        folder = programs(server=conn.info.server_version // 10000, needed=("pg_dump",))
        with new_archive(file) as archive:
            messages = None
            if not without_queue:
                messages = write_messages(archive, _queue(settings, conn))
            with database_member(archive) as write:
                _dump(folder / "pg_dump", database_url, there.schema, left_out, write)
            about = About(format=FORMAT, taken_at=began, schema=there.schema, migrations=applied, messages=messages)
            write_about(archive, about)
    for name in left_out:
        click.echo(f"left out: {name}, which is not ours")
    held = f", with {messages:,} messages of the queue" if messages is not None else ", without the queue"
    click.echo(f"{file}: {file.stat().st_size:,} bytes; all events accepted before {began:%Y-%m-%d %H:%M:%S} UTC{held}")


def _queue(settings: Any, conn: Any) -> Callable[[Callable[[], None]], Iterator[Any]]:
    """A function that reads the messages of the queue."""
    # Imported here, because importing actors reads the settings.
    from actors.queue.backup import BackupQueue
    from actors.queue.producer import QueueUnavailable

    def read(begin: Callable[[], None]) -> Iterator[Any]:
        try:
            queue = BackupQueue(settings.required("redis_url"), namespace=settings.redis_namespace)
            # Before the messages: an event that arrives in between is then in the backup but not counted. In the other
            # order it would be counted but missing, and so reported as lost.
            accepted = queue.accepted()
            balance.count_accepted(conn, source=accepted.source, counted_at=accepted.counted_at, counts=accepted.counts)

            def unsettled(ids: Sequence[str]) -> int:
                return backups.unsettled(conn, ids) if ids else 0

            yield from queue.read(unsettled, begin=begin)
        except QueueUnavailable as error:
            raise click.ClickException(f"cannot read the queue (Redis): {error}; {WITHOUT_QUEUE}") from None

    return read


def _dump(
    program: Path, database_url: str, schema: str, left_out: Sequence[str], write: Callable[[bytes], int]
) -> None:
    """Run pg_dump: it reads a consistent snapshot of all tables in a transaction that does not block others."""
    conninfo, environment = connection(database_url)
    # In UTF-8 whatever the database says of its clients.
    options = [
        "--format=custom",
        "--encoding=UTF8",
        "--no-owner",
        "--no-privileges",
        "--lock-wait-timeout=60s",
        f"--dbname={conninfo}",
    ]
    # Quoted, because pg_dump reads these names as patterns.
    options += [f'--schema="{schema}"', *(f'--exclude-table="{schema}"."{name}"' for name in left_out)]
    with subprocess.Popen(
        [program, *options], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            while part := cast("IO[bytes]", process.stdout).read(CHUNK):
                write(part)
            message = cast("IO[bytes]", process.stderr).read().decode(errors="replace").strip()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise click.ClickException(f"pg_dump failed: {message}")
