"""Restore a backup: pg_restore writes a script and psql runs it, in one transaction that this module commits.

The same transaction marks the database. Once the messages are in the queue again, the command removes the mark: so what
is killed or fails in between is found by the next run, which only does what is left. In the other order, messages of a
restore that fails would be stored in a database that was not restored.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event, Thread
from typing import IO, cast

from apps.backup.archive import DATABASE, Archive
from apps.backup.programs import connection
from db.backups import BEGIN_RESTORE, RESTORE_ACCESS, ours
from db.migrations import LOCK

CHUNK = 1024 * 1024
#: Attempts of a restore that ends in a deadlock with running processes.
TRIES = 5
#: Markers that psql prints after all previous commands.
RESTORED, COMMITTED = "tjra: restored", "tjra: committed"
#: A setting of pg_restore that servers before PostgreSQL 17 do not know.
TRANSACTION_TIMEOUT = b"SET transaction_timeout = 0;\n"


class RestoreFailed(Exception):
    """Nothing was restored, and the database is unchanged; the message says why."""


class CommitFailed(RestoreFailed):
    """The connection ended during the commit: the mark in the database says whether that happened."""


class Psql:
    """A psql process that runs the commands it gets; at the first error it exits and its transaction rolls back."""

    def __init__(self, program: Path, conninfo: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [program, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={conninfo}"],
            env=environment | {"PGCLIENTENCODING": "UTF8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.stdin, self.stderr = cast("IO[bytes]", self.process.stdin), cast("IO[bytes]", self.process.stderr)
        self.lines: list[str] = []
        self.news = Event()
        self.listening = Thread(target=self._listen, daemon=True)
        self.listening.start()

    def __enter__(self) -> "Psql":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self.stdin.close()  # without a commit the transaction rolls back
        self.process.wait()
        self.listening.join()
        self.stderr.close()

    def say(self, text: str) -> None:
        """Give it text to run. Raises RestoreFailed if it has exited."""
        self.write(text.encode())

    def write(self, data: bytes) -> None:
        """As say."""
        try:
            self.stdin.write(data)
            self.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def wait_for(self, line: str) -> None:
        """Wait until psql has printed this line. Raises RestoreFailed if it exits before."""
        while line not in self.lines:
            if not self.listening.is_alive():
                raise self._failed()
            self.news.wait(0.1)
            self.news.clear()

    def _listen(self) -> None:
        for line in self.stderr:
            self.lines.append(line.decode(errors="replace").rstrip())
            self.news.set()

    def _failed(self) -> RestoreFailed:
        self.listening.join()
        errors = [line for line in self.lines if "ERROR" in line or "FATAL" in line or "error:" in line] or self.lines
        return RestoreFailed(errors[0].partition("ERROR:")[2].strip() or errors[0] if errors else "psql ended")


class Restoring:
    """One restore."""

    def __init__(
        self, programs: Path, database_url: str, archive: Archive, *, server: int, psql: type[Psql] = Psql
    ) -> None:
        self.programs = programs
        self.psql = psql
        self.archive = archive
        self.server = server
        self.conninfo, self.environment = connection(database_url)

    def run(self, *, replace: bool) -> None:
        """Restore everything, and mark the database. Raises RestoreFailed."""
        for number in range(TRIES):
            try:
                self._run(replace=replace)
                return
            except RestoreFailed as error:
                if "deadlock detected" not in str(error) or number == TRIES - 1:
                    raise

    def _run(self, *, replace: bool) -> None:
        with self._contents() as contents, self.psql(self.programs / "psql", self.conninfo, self.environment) as psql:
            psql.say(self._begin(replace=replace))
            self._script(contents, psql)
            psql.say(RESTORE_ACCESS)
            schema = self.archive.about.schema.replace('"', '""')
            psql.say(f'comment on table "{schema}".migrations is {_quoted(self.archive.mark)};\n')
            psql.say(f"\\warn {RESTORED}\n")
            psql.wait_for(RESTORED)
            try:
                psql.say(f"commit;\n\\warn {COMMITTED}\n")
                psql.wait_for(COMMITTED)
            except RestoreFailed as error:
                raise CommitFailed(str(error)) from None

    def _begin(self, *, replace: bool) -> str:
        parameters = {
            "schema": self.archive.about.schema,
            "names": ",".join(sorted(ours())),
            "replace": "yes" if replace else "no",
            "lock": str(LOCK),
        }
        lines = [f"set local tjra.{name} = {_quoted(value)};\n" for name, value in parameters.items()]
        settings = "set local lock_timeout = '60s';\nset local synchronous_commit = on;\n"
        return "begin isolation level read committed;\n" + settings + "".join(lines) + BEGIN_RESTORE

    def _script(self, contents: Path, psql: Psql) -> None:
        """Pass the script of pg_restore to psql."""
        options = ["--file=-", f"--use-list={contents}", "--no-owner", "--no-privileges"]
        with self._pg_restore(*options) as (script, errors):
            first = True
            while part := script.read(CHUNK):
                psql.write(part.replace(TRANSACTION_TIMEOUT, b"") if first and self.server < 17 else part)
                first = False
        if errors:
            raise RestoreFailed(f"pg_restore failed: {errors[0]}")

    @contextmanager
    def _contents(self) -> Iterator[Path]:
        """A file with the list of restored objects: all but the schema, which exists."""
        with self._pg_restore("--list") as (listed, errors):
            lines = listed.read().decode(errors="surrogateescape").splitlines()
        if errors:
            raise RestoreFailed(f"pg_restore failed: {errors[0]}")
        kept = [line for line in lines if " SCHEMA - " not in line and " - SCHEMA " not in line]
        with NamedTemporaryFile("w", errors="surrogateescape") as file:
            file.write("\n".join(kept))
            file.flush()
            yield Path(file.name)

    @contextmanager
    def _pg_restore(self, *options: str) -> Iterator[tuple[IO[bytes], list[str]]]:
        """Run pg_restore on the database's dump: its output, and, at the end, its error."""
        errors: list[str] = []
        process = subprocess.Popen(
            [self.programs / "pg_restore", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        script, stderr = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
        feeding = Thread(target=self._feed, args=[process.stdin], daemon=True)
        feeding.start()
        try:
            yield script, errors
            message = stderr.read().decode(errors="replace").strip()
            if process.wait() != 0:
                errors.append(message)
        finally:
            process.kill()
            process.wait()
            feeding.join()
            script.close()
            stderr.close()

    def _feed(self, stdin: IO[bytes]) -> None:
        with suppress(BrokenPipeError), stdin, self.archive.zip.open(DATABASE) as dump:
            while part := dump.read(CHUNK):
                stdin.write(part)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
