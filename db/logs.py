"""Logging to stderr, one line per record, as text or JSON (LOG_FORMAT).

Repeated warnings and errors, as with a full disk, are logged a few times a minute, with the number of repetitions.
No line has the content of a message: it is about people (`without_content`).
"""

import copy
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from pythonjsonlogger.msgspec import MsgspecFormatter

from db.settings import Settings

CONSOLE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: How many similar warnings and errors are written per PERIOD (seconds); the others are counted.
SHOWN, PERIOD = 3, 60.0
#: Maximum number of kinds of lines that are tracked.
KINDS = 1_000
#: Maximum characters of a message; some contain data from clients.
LONGEST = 2_000
#: The parts in which similar lines differ: ids and numbers.
DIFFERENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+([.,]\d+)*")


def configure(settings: Settings, *, force: bool = False) -> None:
    """Log to stderr from LOG_LEVEL on, unless logging is configured already; with `force` in any case."""
    handler = Lines()
    handler.setFormatter(json_lines() if settings.log_format == "json" else logging.Formatter(CONSOLE))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=force)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def json_lines() -> logging.Formatter:
    """One JSON object per line: time (ISO 8601, UTC), level, logger, message, what `extra` gives, exc_info if any."""
    return MsgspecFormatter(
        ["levelname", "name", "message"],
        defaults={"time": None},  # puts it first
        timestamp="time",
        rename_fields={"levelname": "level", "name": "logger"},
    )


class Kind:
    """Similar lines, from the first one on."""

    def __init__(self, record: logging.LogRecord, until: float) -> None:
        self.record = record
        self.until = until
        self.shown = 1
        self.held = 0


class Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes lines to stderr; of similar lines a few, and the number of the others when their period is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.clock = clock
        #: By what similar lines have in common, the oldest first.
        self.kinds: dict[tuple[object, ...], Kind] = {}

    def emit(self, record: logging.LogRecord) -> None:
        now = self.clock()
        self._report_held(now)
        line = _short(record)
        if record.levelno >= logging.WARNING:
            key = _kind(record, line.msg)
            if (kind := self.kinds.get(key)) is None:
                self.kinds[key] = Kind(line, now + PERIOD)
            elif kind.shown < SHOWN:
                kind.shown += 1
            else:
                kind.held += 1
                kind.record = line
                return
        super().emit(line)

    def close(self) -> None:
        self._report_held(float("inf"))
        super().close()

    def _report_held(self, now: float) -> None:
        while self.kinds:
            key, kind = next(iter(self.kinds.items()))
            if kind.until > now and len(self.kinds) <= KINDS:
                return
            del self.kinds[key]
            if kind.held:
                last = copy.copy(kind.record)
                last.msg = f"{last.msg} (the last of {kind.held:,} more lines like this in {PERIOD:.0f} s)"
                last.exc_info = last.exc_text = None
                super().emit(last)


def _short(record: logging.LogRecord) -> logging.LogRecord:
    """A copy with the message in one line, without the content of messages."""
    line = copy.copy(record)
    if isinstance(record.args, tuple):
        line.args = tuple(map(without_content, record.args))
    elif record.args:  # the only argument was a mapping
        line.args = {name: without_content(one) for name, one in record.args.items()}
    text = line.getMessage()
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... ({len(text):,} characters)"
    line.msg, line.args = text, ()
    return line


def without_content(given: Any) -> Any:
    """What a line says of an argument: of a message its actor and id, of its arguments how many there are and of bytes
    how long they are, of PostgreSQL's errors the text without the SQL. Libraries log whole messages.
    """
    if isinstance(given, psycopg.Error):
        return in_a_line(given)
    if isinstance(given, bytes | bytearray | memoryview):
        return f"{len(given):,} bytes"
    if isinstance(given, tuple | list | set | frozenset | Mapping):
        return f"{len(given):,} values"
    # By its attributes: Dramatiq, whose Message and MessageProxy this is about, belongs to actors.
    if hasattr(given, "actor_name") and hasattr(given, "message_id"):
        return f"{given.actor_name} {given.message_id}"
    return given


def in_a_line(error: psycopg.Error) -> str:
    """An error of PostgreSQL in one line: message, detail and hint."""
    if not error.diag.message_primary:  # an error of the connection
        return " ".join(str(error).split())
    parts = (error.diag.message_primary, error.diag.message_detail, error.diag.message_hint)
    return "; ".join(" ".join(part.split()) for part in parts if part)


def _kind(record: logging.LogRecord, text: str) -> tuple[object, ...]:
    """What similar lines have in common. With a traceback the message template counts, not the text: it may vary."""
    if record.exc_info and record.exc_info[1]:
        error = record.exc_info[1]
        return record.name, record.levelno, record.msg, type(error), DIFFERENT.sub("#", str(error).partition("\n")[0])
    return record.name, record.levelno, DIFFERENT.sub("#", text)
