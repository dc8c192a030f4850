"""Where log lines go: to stderr, one each, for people or as JSON (LOG_FORMAT).

What goes wrong again and again, as with a full disk, is told a few times a minute, and how often it was.
"""

import copy
import logging
import re
import time
from collections.abc import Callable

import psycopg
from pythonjsonlogger.msgspec import MsgspecFormatter

from db.settings import Settings

CONSOLE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: Of warnings and errors that are alike, so many are written in so many seconds; the rest are counted.
SHOWN, PERIOD = 3, 60.0
#: Kinds of lines that are remembered.
KINDS = 1_000
#: Characters of a message; some carry what clients have sent.
LONGEST = 2_000
#: What differs between lines that are alike: ids and numbers.
DIFFERENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+([.,]\d+)*")


def configure(settings: Settings, *, anew: bool = False) -> None:
    """Log to stderr from LOG_LEVEL on, unless whoever runs us has set logging up already; with `anew` even then."""
    handler = Lines()
    handler.setFormatter(json_lines() if settings.log_format == "json" else logging.Formatter(CONSOLE))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=anew)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def json_lines() -> logging.Formatter:
    """A JSON object a line: time (ISO 8601, UTC), level, logger, message, what `extra` gives, exc_info if any."""
    return MsgspecFormatter(
        ["levelname", "name", "message"],
        defaults={"time": None},  # its place is the first
        timestamp="time",
        rename_fields={"levelname": "level", "name": "logger"},
    )


class Kind:
    """Lines that are alike, from the first on."""

    def __init__(self, record: logging.LogRecord, until: float) -> None:
        self.record = record
        self.until = until
        self.shown = 1
        self.held = 0


class Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes lines to stderr; of those that are alike a few, and how many there were, once their time is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.clock = clock
        #: By what makes them alike, the oldest first.
        self.kinds: dict[tuple[object, ...], Kind] = {}

    def emit(self, record: logging.LogRecord) -> None:
        now = self.clock()
        self._tell_held(now)
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
        self._tell_held(float("inf"))
        super().close()

    def _tell_held(self, now: float) -> None:
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
    """The same with its message in a line: of PostgreSQL's errors what is wrong, without the SQL that it was in."""
    line = copy.copy(record)
    if isinstance(record.args, tuple):
        line.args = tuple(in_a_line(one) if isinstance(one, psycopg.Error) else one for one in record.args)
    text = line.getMessage()
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... ({len(text):,} characters)"
    line.msg, line.args = text, ()
    return line


def in_a_line(error: psycopg.Error) -> str:
    """What PostgreSQL says is wrong, with its detail and hint."""
    if not error.diag.message_primary:  # of a connection
        return " ".join(str(error).split())
    told = (error.diag.message_primary, error.diag.message_detail, error.diag.message_hint)
    return "; ".join(" ".join(part.split()) for part in told if part)


def _kind(record: logging.LogRecord, text: str) -> tuple[object, ...]:
    """What lines have in common that are alike; those with a traceback may say anything of what it was about."""
    if record.exc_info and record.exc_info[1]:
        error = record.exc_info[1]
        return record.name, record.levelno, record.msg, type(error), DIFFERENT.sub("#", str(error).partition("\n")[0])
    return record.name, record.levelno, DIFFERENT.sub("#", text)
