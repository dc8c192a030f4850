"""Where log lines go: to stderr, one each, for people or as JSON (LOG_FORMAT)."""

import logging

from pythonjsonlogger.msgspec import MsgspecFormatter

from db.settings import Settings

CONSOLE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure(settings: Settings, *, anew: bool = False) -> None:
    """Log to stderr from LOG_LEVEL on, unless whoever runs us has set logging up already; with `anew` even then."""
    handler = logging.StreamHandler()
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
