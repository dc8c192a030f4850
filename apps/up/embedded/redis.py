"""An embedded Redis (Valkey) that listens on a Unix socket in its own folder."""

import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from apps.up.embedded.binaries import redis_program
from apps.up.embedded.sockets import socket_folder
from apps.up.processes.child_process import ChildProcess

#: Every write is on disk before its reply, and nothing is ever evicted.
SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
    "loglevel": "warning",
    "port": "0",
    "unixsocketperm": "700",
}


class EmbeddedRedis:
    """A Redis in `folder`: run `child()`, then connect to `url`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.run = socket_folder(self.folder)
        self.socket = self.run / "redis.sock"
        self.url = f"unix://{quote(str(self.socket))}?db=0"

    def child(self, *, log: Path, keep: Sequence[int] = ()) -> ChildProcess:
        """The server as a process to start."""
        for folder in (self.folder, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = SETTINGS | {"dir": str(self.folder), "unixsocket": str(self.socket)}
        options = [text for name, value in settings.items() for text in (f"--{name}", value)]
        return ChildProcess("redis", [redis_program(), *options], keep=keep, log=log)

    def probe(self) -> None:
        """Raise OSError unless it is up and has loaded its data."""
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(1)
            conn.connect(str(self.socket))
            conn.sendall(b"PING\r\n")
            if not (reply := conn.recv(64)).startswith(b"+PONG"):
                raise OSError(reply.decode(errors="replace").strip())
