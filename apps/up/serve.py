"""Serve one app on an open socket, for `tjra up`: `python -m apps.up.serve ingestion 5`.

The socket stays open while the app restarts, so clients wait for a moment and get no connection error.
"""

import socket
import sys

import uvicorn

from db.logs import configure
from db.settings import load

#: Seconds that requests have to end after a stop is requested.
GRACE = 10


def main() -> None:
    """Serve the app in the first argument on the file descriptor in the second."""
    name, descriptor = sys.argv[1:]
    settings = load()
    configure(settings)
    config = uvicorn.Config(
        f"apps.{name}:app",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=settings.keep_alive_seconds,
        forwarded_allow_ips=settings.forwarded_allow_ips,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(descriptor))])


if __name__ == "__main__":
    main()
