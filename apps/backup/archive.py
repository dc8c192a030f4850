"""The file of a backup: a zip of the database (as pg_dump writes it), the queue's messages, and what they are.

Without us, `unzip -p FILE database.dump | pg_restore --dbname=...` restores the database of such a file.
"""

import os
import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import click
import msgspec

#: The version of this format. A file of a newer one is refused.
FORMAT = 1
#: A message of the queue: which one, and what Redis has.
Queued = tuple[str, bytes]
DATABASE, QUEUE, ABOUT = "database.dump", "queue.ndjson", "backup.json"


class About(msgspec.Struct, kw_only=True):
    """What a backup holds."""

    format: int
    taken_at: datetime
    """Every event that was accepted before is in it."""
    schema: str
    migrations: dict[str, str]
    """Those that had been applied, with their checksums."""
    messages: int | None
    """How many messages of the queue are in it; None where it was left out."""


class Line(msgspec.Struct):
    """A message of the queue as it is kept."""

    queue: str
    message: str


class Archive:
    """A backup that is read."""

    def __init__(self, archive: ZipFile, about: About) -> None:
        self.zip = archive
        self.about = about

    def messages(self) -> Iterator[Queued]:
        """The messages of the queue."""
        with self.zip.open(QUEUE) as lines:
            for text in lines:
                line = msgspec.json.decode(text, type=Line)
                yield line.queue, b64decode(line.message)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """A backup, read once as a whole. Raises ClickException where it is none, damaged, or of a newer version."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(ZipFile(path))
            about = msgspec.json.decode(archive.read(ABOUT))
            if about["format"] > FORMAT:
                raise click.ClickException(f"{path} was made by a newer version of tjra (format {about['format']})")
            if damaged := archive.testzip():
                raise click.ClickException(f"{path} is damaged: {damaged} is not what it was")
            backup = Archive(archive, msgspec.convert(about, About))
        except OSError as error:
            raise click.ClickException(f"cannot read {path}: {error.strerror}") from None
        except (BadZipFile, KeyError, TypeError, ValueError, EOFError):
            raise click.ClickException(f"{path} is not a whole backup of tjra") from None
        yield backup


@contextmanager
def new_archive(path: Path) -> Iterator[ZipFile]:
    """A file that is there once it is whole, for us only. Raises ClickException where it cannot be, or is there."""
    unfinished = path.with_name(f".{path.name}.{token_hex(4)}.unfinished")
    if path.exists() or path.is_symlink():
        raise click.ClickException(f"{path} is there already; a backup is never written over another file")
    try:
        with os.fdopen(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with ZipFile(file, "w") as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)  # which fails where somebody else has made it meanwhile
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def write_messages(archive: ZipFile, messages: Callable[[Callable[[], None]], Iterator[Queued]]) -> int:
    """Write the messages of the queue; answers how many. `messages(begin)` calls `begin` when all before is void."""
    count = 0
    with TemporaryFile(dir=Path(str(archive.filename)).parent if archive.filename else None) as lines:

        def begin() -> None:
            nonlocal count
            count = 0
            lines.seek(0)
            lines.truncate()

        for queue, data in messages(begin):
            lines.write(msgspec.json.encode(Line(queue, b64encode(data).decode())) + b"\n")
            count += 1
        lines.seek(0)
        with archive.open(_member(QUEUE, ZIP_DEFLATED), "w", force_zip64=True) as member:
            shutil.copyfileobj(lines, member)
    return count


@contextmanager
def database_member(archive: ZipFile) -> Iterator[Callable[[bytes], int]]:
    """Where the dump of the database is written to."""
    with archive.open(_member(DATABASE, ZIP_STORED), "w", force_zip64=True) as member:
        yield member.write


def write_about(archive: ZipFile, about: About) -> None:
    """Write what the backup holds: the last part of it."""
    archive.writestr(_member(ABOUT, ZIP_STORED), msgspec.json.format(msgspec.json.encode(about)))


def _member(name: str, compression: int) -> ZipInfo:
    member = ZipInfo(name)
    member.compress_type = compression
    return member
