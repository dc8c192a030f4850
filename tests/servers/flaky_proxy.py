"""A proxy that fails before it works: `with flaky_proxy(url, ["lost", "503"]) as proxy: ...`."""

import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

#: Headers that are about a connection, or about what httpx would decompress.
HOP_BY_HOP = {"accept-encoding", "connection", "content-length", "host", "transfer-encoding"}


class FlakyProxy(ThreadingHTTPServer):
    """Does to its first POST requests what it was told to do, and forwards all others.

    "503" refuses a request, "dropped" closes its connection, and "lost" does that once the server behind has answered:
    it has the events, and the client does not know.
    """

    daemon_threads = True

    def __init__(self, target: str, failures: Sequence[str], port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.target = httpx.Client(base_url=target, headers={"accept-encoding": "identity"})
        self.failures = list(failures)
        self.lock = threading.Lock()
        self.tls = tls is not None
        self.statuses: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        if tls:
            # A connection's handshake is left to its own thread.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.url = f"https://events.test:{self.server_port}"  # a name for this machine in tests/browser

    def next_failure(self) -> str | None:
        with self.lock:
            return self.failures.pop(0) if self.failures else None


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: FlakyProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        failure = self.server.next_failure()
        if failure == "503":
            self.send_response(503)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if failure == "dropped":
            self.close_connection = True
            return
        answer = self.ask(body)
        self.server.statuses.append(answer.status_code)
        if failure == "lost":
            self.close_connection = True
            return
        self.forward(answer)

    def do_GET(self) -> None:
        self.forward(self.ask(b""))

    def do_OPTIONS(self) -> None:
        self.forward(self.ask(b""))

    def ask(self, body: bytes) -> httpx.Response:
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP]
        if self.server.tls:
            headers += [("host", self.headers["host"]), ("x-forwarded-proto", "https")]
        return self.server.target.request(self.command, self.path, content=body, headers=headers)

    def forward(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def flaky_proxy(
    target: str, failures: Sequence[str] = (), port: int = 0, *, tls: ssl.SSLContext | None = None
) -> Iterator[FlakyProxy]:
    """The proxy before `target`, on `port` (0: a free one), with `tls` on https."""
    with FlakyProxy(target, failures, port, tls) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
        proxy.target.close()
