"""`tjra restore FILE`: restore a backup, completely or not at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from apps.backup.archive import About, Archive, open_archive
from apps.backup.programs import programs
from apps.backup.restoring import CommitFailed, Psql, RestoreFailed, Restoring
from apps.commands.shared.database import database
from apps.commands.shared.first_key import first_key
from apps.commands.shared.terminal import printable
from db import backups
from db.access import audit
from db.access.keys import Key, valid_keys
from db.connections.errors import is_unavailable
from db.migrations import LOCK, left_to_do, migrate, unfit
from db.settings import load

#: How many valid keys are printed.
SHOWN_KEYS = 20


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Also restore if the database has events; they are deleted.")
def restore_command(
    file: Path,
    replace: bool,
    psql: type[Psql] = Psql,  # no option, and neither is the queue (None: that of the settings)
    queue: Any = None,
) -> None:
    """Restore the database from the backup FILE, and put its messages back into the queue.

    Everything can keep running: the restore is one transaction, and workers and reports wait for it. Its messages go
    into the queue after it. If it is killed or fails, run it again: it does what is left, all of it or only the
    messages. A database that has events is replaced only with --replace. Tables of other programs stay unchanged.
    Privileges of PostgreSQL roles must be granted again.

    Keys of the database that is replaced stay, with their revocations; those of the backup come back, but for the ones
    that were revoked since, as far as that database knows. It prints which keys are valid then. All logins end.
    """
    settings = load()
    database_url = settings.required("database_url")
    with open_archive(file) as archive:
        about = archive.about
        if reason := unfit(about.migrations):
            raise click.ClickException(f"{file} cannot be restored by this version: {reason}")
        with database() as conn:
            _check(backups.facts(conn), about)
            server = conn.info.server_version // 10000
            mark = backups.unfinished(conn, lock=LOCK)
        queue = (queue or _queue(settings)) if about.messages else None
        if mark == archive.mark:
            click.echo("the database is restored already: only what was left of it is done")
        elif mark and not replace:
            raise click.ClickException(
                f"another restore has not finished ({mark}): run that one again, or --replace what it restored"
            )
        else:
            restoring = Restoring(programs(server=server), database_url, archive, server=server, psql=psql)
            _restore(restoring, replace=replace)
        applied = migrate(database_url)
        told = first_key(database_url, settings)
        _put_back(queue, archive)
    with database() as conn:
        backups.finish(conn)
        backups.analyze(conn)
        valid = valid_keys(conn)
        audit.note_on(conn, audit.COMMAND_LINE, "restore", {"taken_at": about.taken_at, "valid_keys": len(valid)})
    click.echo(f"restored: all events accepted before {about.taken_at:%Y-%m-%d %H:%M:%S} UTC")
    if about.messages:
        click.echo(f"{about.messages:,} messages are in the queue again: workers store them")
    for name in applied:
        click.echo(f"applied {name}")
    for what in left_to_do(applied):
        click.echo(what)
    _print_access(valid)
    if told:
        click.echo(told)


def _print_access(valid: Sequence[Key]) -> None:
    """Print which keys are valid: those that were revoked where nobody knows of it any more live again."""
    click.echo("all logins have ended")
    click.echo(f"{len(valid):,} {'key is' if len(valid) == 1 else 'keys are'} valid now, also those of the backup:")
    for key in valid[:SHOWN_KEYS]:
        click.echo(f"  {key.id}  {printable(key.name)} ({', '.join(key.scopes)}), of {key.created_at:%Y-%m-%d}")
    if len(valid) > SHOWN_KEYS:
        click.echo(f"  and {len(valid) - SHOWN_KEYS:,} more: `tjra key list`")
    click.echo("end those that nobody should have any more: `tjra key revoke ID`")


def _restore(restoring: Restoring, *, replace: bool) -> None:
    try:
        restoring.run(replace=replace)
    except CommitFailed as error:
        if not _committed(restoring.archive.mark, error):
            raise click.ClickException(f"nothing was restored: {error}") from None
    except RestoreFailed as error:
        raise click.ClickException(f"nothing was restored: {error}") from None


def _committed(mark: str, lost: CommitFailed) -> bool:
    """Whether a commit happened whose outcome was lost."""
    try:
        with database() as conn:
            return backups.unfinished(conn, lock=LOCK) == mark
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise click.ClickException(
            f"it is not known whether the database was restored ({lost}): run the same command again, which finds out"
        ) from None


def _check(there: backups.Facts, about: About) -> None:
    if there.citus:
        raise click.ClickException("a backup cannot be restored into a database of Citus")
    if there.schema != about.schema:
        here = f"in schema {there.schema}" if there.schema else "in none"
        raise click.ClickException(
            f"the backup's tables are in schema {about.schema}, but here they would be {here}: "
            f"create schema {about.schema}, or set search_path to it"
        )


def _queue(settings: Any) -> Any:
    from actors.queue.backup import BackupQueue
    from actors.queue.producer import QueueUnavailable

    queue = BackupQueue(settings.required("redis_url"), namespace=settings.redis_namespace)
    try:
        queue.ping()
    except QueueUnavailable as error:
        raise click.ClickException(
            f"the backup has messages for the queue (Redis), which cannot take them: {error}"
        ) from None
    return queue


def _put_back(queue: Any, archive: Archive) -> None:
    """Put the messages back into the queue. One that is put back again, by another run, is processed once by its id."""
    if not queue:
        return
    try:
        for message in archive.messages():
            queue.put_back(*message)
    except Exception as error:
        raise click.ClickException(
            f"the database is restored, but the queue (Redis) did not take all of its messages: {error}; run the same "
            "command again, which puts them back"
        ) from None
