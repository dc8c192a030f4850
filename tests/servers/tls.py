"""TLS before the servers of the tests, whose programs may be built without it: the same bytes, encrypted on the way.

What a client checks, and how, is its own business, and the same with any server.
"""

import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: What a client of PostgreSQL asks first: https://www.postgresql.org/docs/current/protocol-message-formats.html
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


class Certificates:
    """An authority, a server's certificate for `localhost` that it has signed, and an authority that has not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = self._authority("authority")
        self.stranger = self._authority("stranger")
        key, request, self.certificate = (folder / f"server.{kind}" for kind in ("key", "csr", "pem"))
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tjra", "-keyout", key, "-out", request)
        names = folder / "names"
        names.write_text("subjectAltName=DNS:localhost\n")
        signed_by = ("-CA", self.authority, "-CAkey", folder / "authority.key", "-CAcreateserial")
        self._openssl(
            "x509", "-req", "-in", request, *signed_by, "-days", "2", "-extfile", names, "-out", self.certificate
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)

    def _authority(self, name: str) -> Path:
        certificate = self.folder / f"{name}.pem"
        options = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}")
        self._openssl("req", *options, "-keyout", self.folder / f"{name}.key", "-out", certificate)
        return certificate

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S607


@contextmanager
def tls_before(
    server: Path | tuple[str, int], certificates: Certificates, *, postgresql: bool = False
) -> Iterator[int]:
    """The port on which a server that listens on this Unix socket, or host and port, speaks TLS, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        arguments = (listening, server, certificates.context, postgresql)
        threading.Thread(target=_accept, args=arguments, daemon=True).start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _accept(
    listening: socket.socket, server: Path | tuple[str, int], context: ssl.SSLContext, postgresql: bool
) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client, server, context, postgresql), daemon=True).start()


def _serve(client: socket.socket, server: Path | tuple[str, int], context: ssl.SSLContext, postgresql: bool) -> None:
    with client, suppress(OSError):
        if postgresql:
            while struct.unpack("!ii", client.recv(8, socket.MSG_WAITALL))[1] == GSS_REQUEST:
                client.sendall(b"N")
            client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as secure, _connected(server) as behind:
            threading.Thread(target=_forward, args=(behind, secure), daemon=True).start()
            _forward(secure, behind)


def _connected(server: Path | tuple[str, int]) -> socket.socket:
    if isinstance(server, tuple):
        return socket.create_connection(server)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(server))
    return connection


def _forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError, ValueError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
