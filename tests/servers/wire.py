"""A wire between a client and a server that the tests can cut: `Wire(target)` listens on a port of its own."""

import socket
import threading
from contextlib import suppress
from pathlib import Path


class Wire:
    """Forwards what clients send to a Unix socket, and its replies; loses a reply when it is told to."""

    def __init__(self, target: Path) -> None:
        self.target = target
        #: The next reply of at least this many bytes is lost, and its connection with it.
        self.lose_reply_of: int | None = None
        self.lost = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self.target))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(source, sink, server), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if source is server and self.lose_reply_of is not None and len(data) >= self.lose_reply_of:
                    self.lose_reply_of = None
                    self.lost += 1
                    break
                sink.sendall(data)
        for side in (source, sink):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
