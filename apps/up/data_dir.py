"""The data folder: the data that `tjra up` keeps between runs, and locks that allow only one run at a time."""

import fcntl
import os
import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from db.env_file import read_env_file
from db.settings import Settings, SettingsError, load

#: Bytes of a server's log above which it is deleted when the server starts.
LOG_BYTES = 10 * 1024 * 1024
#: Values that need no quotes in a shell's NAME=value, where "?" is not expanded.
PLAIN = re.compile(r"[\w@%+=:,./?-]*", re.ASCII)
#: Settings of `env` that have a default.
PORTS = ("INGESTION_PORT", "REPORTING_PORT")
#: The file with the first key.
ADMIN_KEY = "admin-key"


class FolderUnusable(Exception):
    """The data folder cannot be used; the message says why."""


class FolderTaken(FolderUnusable):
    """Another run uses the data folder; the message says which."""


class DataFolder:
    """A context with exclusive use of the data folder.

    There are two locks. `up.lock` belongs to this process only and shows that a `tjra up` is running. `processes.lock`
    is inherited by all child processes (`keep`), so the kernel holds it until the last of them has ended, even if this
    process was killed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        #: Whether the folder may contain data worth keeping. If not, a new folder is removed at the end.
        self.used = False
        #: The folders that this run created.
        self.made: list[Path] = []

    def __enter__(self) -> "DataFolder":
        try:
            self.made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
            # Root's PostgreSQL runs as another account, which must be able to traverse the folder.
            self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self.ours = _open(self.path / "up.lock")
        except OSError as error:
            raise FolderUnusable(
                f"{self.path} cannot hold the data: {error.strerror}; --data-dir or DATA_DIR chooses another folder"
            ) from None
        if not _locked(self.ours):
            pid = os.pread(self.ours, 20, 0).decode().strip()
            os.close(self.ours)
            raise FolderTaken(f"{self.path} is in use: another `tjra up` (process {pid}) runs on it")
        os.ftruncate(self.ours, 0)
        os.pwrite(self.ours, f"{os.getpid()}\n".encode(), 0)
        self.keep = _open(self.path / "processes.lock")
        return self

    def __exit__(self, *_: object) -> None:
        if self.made and not self.used:
            self._remove()
        os.close(self.keep)
        os.close(self.ours)

    def _remove(self) -> None:
        """Remove an unused folder that this run created, and the folder of root's PostgreSQL elsewhere (embedded)."""
        for link in self.path.glob("*"):
            if link.is_symlink():
                shutil.rmtree(link.readlink(), ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):  # it contains files of another program
            for folder in self.made[1:]:
                folder.rmdir()

    def wait_for_last_run(self, *, timeout: float, report: Callable[[str], None]) -> None:
        """Wait until no process of an earlier run is left. Raises FolderTaken after `timeout` seconds."""
        if _locked(self.keep):
            return
        report("processes of the last run are still stopping")
        deadline = time.monotonic() + timeout
        while not _locked(self.keep):
            if time.monotonic() > deadline:
                raise FolderTaken(f"processes of an earlier run on {self.path} have not stopped within {timeout:.0f} s")
            time.sleep(0.1)

    def log(self, name: str) -> Path:
        """The path of a server's log."""
        path = self.path / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.unlink()
        return path

    def write_env(self, variables: dict[str, str]) -> None:
        """Write `env`, a shell file with the addresses and ports for use in another terminal.

        Only the owner can read it, because addresses may contain passwords.
        """
        temporary = self.path / "env.tmp"
        temporary.touch(mode=0o600)
        temporary.write_text("".join(f"{name}={_quoted(value)}\n" for name, value in variables.items()))
        temporary.rename(self.path / "env")

    @property
    def admin_key(self) -> Path:
        """The file with the first key."""
        return self.path / ADMIN_KEY

    def write_admin_key(self, key: str) -> None:
        """Write the first key into a file that only the owner can read."""
        self.admin_key.unlink(missing_ok=True)
        self.admin_key.touch(mode=0o600)
        self.admin_key.write_text(f"{key}\n")


def key_of_folder(folder: Path) -> str | None:
    """The first key of a `tjra up` on this folder, if it is kept there."""
    with suppress(OSError):
        return (folder / ADMIN_KEY).read_text().strip()
    return None


def is_of_folder(folder: Path, database_url: str) -> bool:
    """Whether a database is that of the `tjra up` on this folder."""
    with suppress(OSError, ValueError):
        return f"DATABASE_URL={database_url}" in shlex.split((folder / "env").read_text())
    return False


def keep_first_key(folder: Path, database_url: str, key: str) -> Path | None:
    """Keep a new first key in this folder's file if the database is that of its `tjra up`; return the file then."""
    if not is_of_folder(folder, database_url):
        return None
    data = DataFolder(folder)
    data.write_admin_key(key)
    return data.admin_key


@contextmanager
def environment_of_folder() -> Iterator[None]:
    """A context that adds the addresses in DATA_DIR (see `write_env`) to the environment, unless they are set."""
    added = {}
    with suppress(SettingsError, OSError, ValueError):  # the command that reads a wrong setting reports it
        settings = load()
        for word in shlex.split((settings.data_dir / "env").read_text()):
            name, _, value = word.partition("=")
            if _lacks(settings, name):
                added[name] = value
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _lacks(settings: Settings, name: str) -> bool:
    """Whether a setting is missing. A port has a default, and 0 means that the actual port is unknown."""
    if name in PORTS:
        given = (read_env_file() | dict(os.environ)).get(name, "")
        return not given.strip() or getattr(settings, name.lower()) == 0
    return getattr(settings, name.lower(), "") is None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _quoted(value: str) -> str:
    return value if PLAIN.fullmatch(value) else shlex.quote(value)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
