"""A shop on an origin of its own: every path is the same page, with a head of the test's; /elsewhere has none."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = "<!doctype html><title>Lamps</title><link rel=icon href=data:,>"


class Shop(ThreadingHTTPServer):
    """The shop's web server. `head` is put into its pages; `scripts` are files of others that it serves as well."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.head = ""
        self.scripts: dict[str, bytes] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"
        if tls:
            # A connection's handshake is left to its own thread.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.url = f"https://shop.test:{self.server_port}"
        #: The same server, but another host.
        self.elsewhere = f"http://localhost:{self.server_port}/elsewhere"


class Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    server: Shop

    def do_GET(self) -> None:
        script = self.server.scripts.get(self.path.partition("?")[0])
        head = "" if self.path.startswith("/elsewhere") else self.server.head
        content = f"{PAGE}{head}<p>A lamp.".encode() if script is None else script
        kind = "html" if script is None else "javascript"
        self.send_response(200)
        self.send_header("Content-Type", f"text/{kind}; charset=utf-8")
        if script is not None:
            self.send_header("Access-Control-Allow-Origin", "*")  # modules need it, and who publishes scripts says it
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def web_shop(tls: ssl.SSLContext | None = None) -> Iterator[Shop]:
    """The shop, for as long as the context lasts."""
    with Shop(tls) as shop:
        thread = threading.Thread(target=shop.serve_forever, daemon=True)
        thread.start()
        yield shop
        shop.shutdown()
        thread.join()
