"""On whichever address of the machine: the apps and workers listen there, and say where."""

import logging
import socket
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from actors.worker.health import WorkerPort, listen
from apps.up.stack import PortTaken, _listen, _url, up
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


SAME = [("ingestion", "reporting"), ("ingestion", "worker"), ("reporting", "worker")]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_two_settings_of_one_port_are_both_named_at_once(
    first: str, second: str, unused_port: int, tmp_path: Path
) -> None:
    ports = {"ingestion_port": 0, "reporting_port": 0, "worker_port": 0}
    ports |= {f"{first}_port": unused_port, f"{second}_port": unused_port}
    said: list[str] = []
    with pytest.raises(PortTaken) as refused:
        up(Settings(data_dir=tmp_path / "data", **ports), workers=1, report=said.append)  # type: ignore[arg-type]
    (line,) = str(refused.value).splitlines()
    assert f"--{first}-port ({first.upper()}_PORT) and --{second}-port ({second.upper()}_PORT)" in line
    assert f"are both {unused_port}" in line
    assert said == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["ingestion", "reporting"])
def test_a_port_that_somebody_else_has_names_the_setting_for_another(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(**{f"{name}_port": taken.getsockname()[1]})
        with pytest.raises(PortTaken, match=f"--{name}-port or {name.upper()}_PORT chooses another"):
            _listen(settings, name)


def test_a_worker_that_cannot_listen_names_the_setting_too(caplog: pytest.LogCaptureFixture) -> None:
    port = WorkerPort(Settings(listen_host="192.0.2.1"), *[None] * 3)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        port.after_worker_boot(None, None)  # type: ignore[arg-type]
    assert "cannot serve health and metrics" in caplog.text
    assert "LISTEN_HOST" in caplog.text
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = WorkerPort(Settings(worker_port=taken.getsockname()[1]), *[None] * 3, ports=1)  # type: ignore[arg-type]
        port.after_worker_boot(None, None)  # type: ignore[arg-type]
    assert "WORKER_PORT" in caplog.text
