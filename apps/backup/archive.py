"""The file of a backup: a zip with the database (as pg_dump writes it), the queue's messages, and metadata.

Without tjra, `unzip -p FILE database.dump | pg_restore --dbname=...` restores the database.
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

#: The version of this format. Files of newer versions are refused.
FORMAT = 1
#: A message: the name of its queue, and its bytes in Redis.
Queued = tuple[str, bytes]
DATABASE, QUEUE, ABOUT = "database.dump", "queue.ndjson", "backup.json"


class About(msgspec.Struct, kw_only=True):
    """The metadata of a backup."""

    format: int
    taken_at: datetime
    """Every event that was accepted before this time is in the backup."""
    schema: str
    migrations: dict[str, str]
    """The applied migrations with their checksums."""
    messages: int | None
    """Number of messages of the queue; None if the queue was left out."""


class Line(msgspec.Struct):
    """A message of the queue as a line of the archive."""

    queue: str
    message: str


class Archive:
    """A backup opened for reading."""

    def __init__(self, archive: ZipFile, about: About) -> None:
        self.zip = archive
        self.about = about

    @property
    def mark(self) -> str:
        """What a restored database is marked with until its messages are in the queue again; no other backup has it."""
        sums = "".join(f"{info.CRC:08x}" for info in self.zip.infolist())
        return f"tjra restore of {self.about.taken_at.isoformat()} {sums}: its messages are not all in the queue yet"

    def messages(self) -> Iterator[Queued]:
        """The messages of the queue, always in the same order."""
        with self.zip.open(QUEUE) as lines:
            for text in lines:
                line = msgspec.json.decode(text, type=Line)
                yield line.queue, b64decode(line.message)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a backup and check it completely. Raises ClickException if it is damaged, newer, or not a backup."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(ZipFile(path))
            about = msgspec.json.decode(archive.read(ABOUT))
            if about["format"] > FORMAT:
                raise click.ClickException(f"{path} was made by a newer version of tjra (format {about['format']})")
            if damaged := archive.testzip():
                raise click.ClickException(f"{path} is damaged: {damaged} has a wrong checksum")
            backup = Archive(archive, msgspec.convert(about, About))
        except OSError as error:
            raise click.ClickException(f"cannot read {path}: {error.strerror}") from None
        except (BadZipFile, KeyError, TypeError, ValueError, EOFError):
            raise click.ClickException(f"{path} is not a whole backup of tjra") from None
        yield backup


@contextmanager
def new_archive(path: Path) -> Iterator[ZipFile]:
    """A new file that gets its name once it is complete, readable only by its owner. Raises ClickException."""
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")
    if path.exists() or path.is_symlink():
        raise click.ClickException(f"{path} exists already; a backup never overwrites a file")
    try:
        with os.fdopen(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with ZipFile(file, "w") as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # fails if the file was created in the meantime
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_messages(archive: ZipFile, messages: Callable[[Callable[[], None]], Iterator[Queued]]) -> int:
    """Write the messages of the queue; return their number. `messages(begin)` calls `begin` to discard all so far."""
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
    """The function that writes the dump of the database."""
    with archive.open(_member(DATABASE, ZIP_STORED), "w", force_zip64=True) as member:
        yield member.write


def write_about(archive: ZipFile, about: About) -> None:
    """Write the metadata; call it last."""
    archive.writestr(_member(ABOUT, ZIP_STORED), msgspec.json.format(msgspec.json.encode(about)))


def _member(name: str, compression: int) -> ZipInfo:
    member = ZipInfo(name)
    member.compress_type = compression
    return member
