"""Where log lines go: to stderr, one each."""

import logging

from db.settings import Settings

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure(settings: Settings) -> None:
    """Log to stderr from LOG_LEVEL on, unless whoever runs us has set logging up already."""
    logging.basicConfig(level=settings.log_level.upper(), format=FORMAT)
    for chatty in ("httpx", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
