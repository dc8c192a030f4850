"""On whichever address of the machine: the apps and workers listen there, and say where."""

import socket
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest

from actors.worker.health import WorkerPort, listen
from apps.up.stack import PortTaken, _listen, _url
from db.settings import Settings


def hosts() -> list[str]:
    """Addresses to listen on; those of IPv6 where the machine has it."""
    found = ["127.0.0.1", "localhost", "0.0.0.0"]  # noqa: S104
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        found += ["::1", "::"]
    return found


@pytest.mark.parametrize("host", hosts())
def test_it_is_reached_where_it_says(host: str) -> None:
    with _listen(Settings(listen_host=host, ingestion_port=0), "ingestion") as listening:
        address = urlsplit(_url(listening))
        socket.create_connection((address.hostname, address.port), timeout=5).close()
        if host == "::":  # all addresses, those of IPv4 too
            socket.create_connection(("127.0.0.1", address.port or 0), timeout=5).close()
    with closing(listen(host, 0, WorkerPort(Settings(), *[None] * 3)).socket) as worker:  # type: ignore[arg-type]
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        socket.create_connection((reached, worker.getsockname()[1]), timeout=5).close()


@pytest.mark.parametrize("host", ["[::1]", "192.0.2.1", "2001:db8::1", "::x", "no-such-host.invalid"])
def test_what_is_no_address_of_this_machine_is_an_error_that_names_the_setting(host: str) -> None:
    with pytest.raises(PortTaken, match="--listen-host or LISTEN_HOST"):
        _listen(Settings(listen_host=host, ingestion_port=0), "ingestion")
