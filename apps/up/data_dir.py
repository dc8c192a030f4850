"""The data folder: what `tjra up` keeps between runs, and the locks by which only one run has it at a time."""

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

#: A server's log that is longer than this when it is started begins anew, in bytes.
LOG_BYTES = 10 * 1024 * 1024
#: What a shell takes as it stands behind NAME=, where it leaves "?" alone.
PLAIN = re.compile(r"[\w@%+=:,./?-]*", re.ASCII)
#: Settings of `env` that have a default.
PORTS = ("INGESTION_PORT", "REPORTING_PORT")


class FolderUnusable(Exception):
    """The folder cannot be used; the message says why."""


class FolderTaken(FolderUnusable):
    """Another run has the folder; the message says which."""


class DataFolder:
    """A context that has the folder to itself.

    Two locks: `up.lock` is ours alone and tells that another `tjra up` is running. `processes.lock` is inherited by all
    that we start (`keep`), so that the kernel holds it until the last of them has ended, also when we were killed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        #: Whether there is anything in it that somebody may want to keep. A new folder without goes again.
        self.used = False
        #: The folders that were not there before.
        self.made: list[Path] = []

    def __enter__(self) -> "DataFolder":
        try:
            self.made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
            # Root's PostgreSQL runs as another account, which must be able to pass through.
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
        """Remove a folder that we have made for nothing, with what root's PostgreSQL has elsewhere (embedded)."""
        for link in self.path.glob("*"):
            if link.is_symlink():
                shutil.rmtree(link.readlink(), ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):  # somebody else has put something there
            for folder in self.made[1:]:
                folder.rmdir()

    def wait_for_last_run(self, *, timeout: float, tell: Callable[[str], None]) -> None:
        """Return once no process of a run before this is left. Raises FolderTaken after `timeout` seconds."""
        if _locked(self.keep):
            return
        tell("processes of the last run are still stopping")
        deadline = time.monotonic() + timeout
        while not _locked(self.keep):
            if time.monotonic() > deadline:
                raise FolderTaken(f"processes of an earlier run on {self.path} have not stopped within {timeout:.0f} s")
            time.sleep(0.1)

    def log(self, name: str) -> Path:
        """The file of a server's log."""
        path = self.path / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.unlink()
        return path

    def write_env(self, variables: dict[str, str]) -> None:
        """Write `env`, from which the shell of another terminal learns the addresses and ports.

        For us only, since they may hold passwords.
        """
        unfinished = self.path / "env.unfinished"
        unfinished.touch(mode=0o600)
        unfinished.write_text("".join(f"{name}={_quoted(value)}\n" for name, value in variables.items()))
        unfinished.rename(self.path / "env")


@contextmanager
def environment_of_folder() -> Iterator[None]:
    """Within it the environment also has the addresses that `write_env` wrote into DATA_DIR, where it has none."""
    added = {}
    with suppress(SettingsError, OSError, ValueError):  # a wrong setting is told by the command that reads it
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
    """Whether the settings do not say it: a port has a default, and 0 does not say which it became."""
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
