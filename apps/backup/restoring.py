"""How a backup is restored: pg_restore writes a script, psql runs it, all in one transaction that is ours to end."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event, Thread
from typing import IO, cast

from apps.backup.archive import DATABASE, Archive
from apps.backup.programs import connection
from db.backups import BEGIN_RESTORE, ours
from db.migrations import LOCK

CHUNK = 1024 * 1024
#: How often it is begun anew where those who work were in the way.
TRIES = 5
#: What psql says once it has done all before.
RESTORED, COMMITTED = "tjra: restored", "tjra: committed"
#: What pg_restore sets that an older server does not know.
TRANSACTION_TIMEOUT = b"SET transaction_timeout = 0;\n"


class RestoreFailed(Exception):
    """The database is what it was before; the message says why."""


class Restoring:
    """One restore."""

    def __init__(self, programs: Path, database_url: str, archive: Archive, *, server: int) -> None:
        self.programs = programs
        self.archive = archive
        self.server = server
        self.conninfo, self.environment = connection(database_url)

    def run(self, *, replace: bool, before_commit: Callable[[], None]) -> None:
        """Restore all; calls `before_commit` when only the commit is missing. Raises RestoreFailed."""
        for number in range(TRIES):
            try:
                self._run(replace=replace, before_commit=before_commit)
                return
            except RestoreFailed as error:
                if "deadlock detected" not in str(error) or number == TRIES - 1:
                    raise

    def _run(self, *, replace: bool, before_commit: Callable[[], None]) -> None:
        with self._contents() as contents, _Psql(self.programs / "psql", self.conninfo, self.environment) as psql:
            psql.say(self._begin(replace=replace))
            self._script(contents, psql)
            psql.say(f"\\warn {RESTORED}\n")
            psql.wait_for(RESTORED)
            try:
                before_commit()
            except Exception as error:
                raise RestoreFailed(f"the queue (Redis) did not take its messages: {error}") from None
            psql.say(f"commit;\n\\warn {COMMITTED}\n")
            psql.wait_for(COMMITTED)

    def _begin(self, *, replace: bool) -> str:
        told = {
            "schema": self.archive.about.schema,
            "names": ",".join(sorted(ours())),
            "replace": "yes" if replace else "no",
            "lock": str(LOCK),
        }
        lines = [f"set local tjra.{name} = {_quoted(value)};\n" for name, value in told.items()]
        settings = "set local lock_timeout = '60s';\nset local synchronous_commit = on;\n"
        return "begin isolation level read committed;\n" + settings + "".join(lines) + BEGIN_RESTORE

    def _script(self, contents: Path, psql: "_Psql") -> None:
        """Have pg_restore write its script to psql."""
        with self._pg_restore("--file=-", f"--use-list={contents}", "--no-owner", "--no-privileges") as (script, told):
            first = True
            while part := script.read(CHUNK):
                psql.write(part.replace(TRANSACTION_TIMEOUT, b"") if first and self.server < 17 else part)
                first = False
        if told:
            raise RestoreFailed(f"pg_restore failed: {told[0]}")

    @contextmanager
    def _contents(self) -> Iterator[Path]:
        """A list of what is restored: all but the schema, which is there."""
        with self._pg_restore("--list") as (listed, told):
            lines = listed.read().decode(errors="surrogateescape").splitlines()
        if told:
            raise RestoreFailed(f"pg_restore failed: {told[0]}")
        kept = [line for line in lines if " SCHEMA - " not in line and " - SCHEMA " not in line]
        with NamedTemporaryFile("w", errors="surrogateescape") as file:
            file.write("\n".join(kept))
            file.flush()
            yield Path(file.name)

    @contextmanager
    def _pg_restore(self, *options: str) -> Iterator[tuple[IO[bytes], list[str]]]:
        """pg_restore with the database's dump: what it writes, and at the end what went wrong."""
        told: list[str] = []
        process = subprocess.Popen(
            [self.programs / "pg_restore", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        script, errors = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
        feeding = Thread(target=self._feed, args=[process.stdin], daemon=True)
        feeding.start()
        try:
            yield script, told
            said = errors.read().decode(errors="replace").strip()
            if process.wait() != 0:
                told.append(said)
        finally:
            process.kill()
            process.wait()
            feeding.join()
            script.close()
            errors.close()

    def _feed(self, stdin: IO[bytes]) -> None:
        with suppress(BrokenPipeError), stdin, self.archive.zip.open(DATABASE) as dump:
            while part := dump.read(CHUNK):
                stdin.write(part)


class _Psql:
    """psql, which runs what it is told and ends at the first error, with its transaction."""

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

    def __enter__(self) -> "_Psql":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self.stdin.close()  # without a commit nothing has happened
        self.process.wait()
        self.listening.join()
        self.stderr.close()

    def say(self, text: str) -> None:
        self.write(text.encode())

    def write(self, data: bytes) -> None:
        try:
            self.stdin.write(data)
            self.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def wait_for(self, line: str) -> None:
        """Return once psql has said this. Raises RestoreFailed where it ends before."""
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
        told = [line for line in self.lines if "ERROR" in line or "FATAL" in line or "error:" in line] or self.lines
        return RestoreFailed(told[0].partition("ERROR:")[2].strip() or told[0] if told else "psql ended")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
