"""TLS to PostgreSQL and Redis: who is trusted is asked, and whoever is not is refused at once, in a line."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from actors.durable import broker as durable
from actors.durable.broker import DurableBroker, connect
from actors.queue.producer import Producer
from actors.queue.state import QueueReader
from db.connections.pools import probe, read_pool, refusal_of, write_pool
from db.settings import SettingsError, load
from tests.servers.servers import Redis, Servers
from tests.servers.tls import Certificates, tls_before


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def redis_port(redis: Redis, certificates: Certificates) -> Iterator[int]:
    with tls_before(redis.server.socket, certificates) as port:
        yield port


@pytest.fixture
def postgresql_port(servers: Servers, certificates: Certificates) -> Iterator[int]:
    parts = conninfo_to_dict(servers.database_url)
    host, port = str(parts.get("host", "localhost")), int(str(parts.get("port", 5432)))
    server = Path(host, f".s.PGSQL.{port}") if host.startswith("/") else (host, port)
    with tls_before(server, certificates, postgresql=True) as port:
        yield port


def redis_address(port: int, authority: Path, host: str = "localhost") -> str:
    url = load({"REDIS_URL": f"rediss://{host}:{port}/0", "REDIS_CA_CERT": str(authority)}).redis_url
    assert url
    return url


def postgresql_address(servers: Servers, port: int, authority: Path, host: str = "localhost") -> str:
    options: dict[str, Any] = {"host": host, "port": port, "sslmode": "verify-full", "sslrootcert": str(authority)}
    return make_conninfo(servers.database_url, **options)


def test_redis_is_used_over_tls_by_all_clients(redis_port: int, certificates: Certificates) -> None:
    url = redis_address(redis_port, certificates.authority)
    assert durable.refusal(url) is None
    broker = DurableBroker(url, namespace="tls", middleware=[])
    assert broker.client.ping()
    broker.client.close()

    async def work() -> int:
        producer, reader = Producer(broker, url), QueueReader(broker, url)
        await producer.client.set("tls:key", "value")
        state = await reader.read()
        await producer.close()
        await reader.close()
        return state.waiting

    assert asyncio.run(work()) == 0


def test_redis_takes_the_same_in_its_address(redis_port: int, certificates: Certificates) -> None:
    client = connect(f"rediss://localhost:{redis_port}/0?ssl_ca_certs={certificates.authority}")
    assert client.ping()
    client.close()
    parts = {"REDIS_HOST": "localhost", "REDIS_PORT": str(redis_port), "REDIS_CA_CERT": str(certificates.authority)}
    assert load(parts).redis_url == redis_address(redis_port, certificates.authority)


@pytest.mark.parametrize(
    ("authority", "host", "reason"),
    [
        ("stranger", "localhost", "unable to get local issuer certificate"),
        ("authority", "127.0.0.1", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    ],
)
def test_a_redis_that_is_not_trusted_is_refused(
    redis_port: int, certificates: Certificates, authority: str, host: str, reason: str
) -> None:
    refusal = durable.refusal(redis_address(redis_port, getattr(certificates, authority), host))
    assert refusal
    assert refusal.startswith("Redis cannot be trusted as REDIS_URL (or REDIS_CA_CERT) says: ")
    assert reason in refusal
    assert "\n" not in refusal


def test_what_does_not_speak_tls_is_refused(certificates: Certificates, unused_port: int) -> None:
    with socket.create_server(("127.0.0.1", unused_port)) as listening:

        def answer() -> None:
            client, _ = listening.accept()
            client.sendall(b"-ERR what is this\r\n")
            client.close()

        threading.Thread(target=answer, daemon=True).start()
        refusal = durable.refusal(redis_address(unused_port, certificates.authority))
    assert refusal
    assert "TLS failed: " in refusal


def test_postgresql_is_used_over_tls_by_all_pools(
    servers: Servers, postgresql_port: int, certificates: Certificates
) -> None:
    url = postgresql_address(servers, postgresql_port, certificates.authority)
    assert refusal_of(url) is None
    probe(url)
    with write_pool(url, connections=1) as pool, pool.connection() as conn:
        assert conn.pgconn.ssl_in_use

    async def read() -> bool:
        async with read_pool(url, connections=1) as pool, pool.connection() as conn:
            await conn.execute("select 1")
            return bool(conn.pgconn.ssl_in_use)

    assert asyncio.run(read())


@pytest.mark.parametrize(
    ("authority", "host", "reason"),
    [
        ("stranger", "localhost", "certificate verify failed"),
        ("authority", "127.0.0.1", "does not match host name"),
    ],
)
def test_a_postgresql_that_is_not_trusted_is_refused(
    servers: Servers, postgresql_port: int, certificates: Certificates, authority: str, host: str, reason: str
) -> None:
    refusal = refusal_of(postgresql_address(servers, postgresql_port, getattr(certificates, authority), host))
    assert refusal
    assert refusal.startswith("PostgreSQL refuses what DATABASE_URL (or PG_HOST, PG_USER, ...) says: ")
    assert reason in refusal
    assert "\n" not in refusal


def test_authorities_that_are_not_there_are_named(
    servers: Servers, postgresql_port: int, redis_port: int, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.pem"
    assert "does not exist" in str(refusal_of(postgresql_address(servers, postgresql_port, missing)))
    told = durable.refusal(f"rediss://localhost:{redis_port}/0?ssl_ca_certs={missing}")
    assert "the file of certificates cannot be read: No such file" in str(told)
    with pytest.raises(SettingsError, match="REDIS_CA_CERT names a file that cannot be read: No such file"):
        redis_address(redis_port, missing)


@pytest.mark.parametrize("url", ["redis://localhost", "unix:///run/redis.sock", "rediss://localhost?ssl_ca_certs=/x"])
def test_authorities_are_for_tls_and_given_once(certificates: Certificates, url: str) -> None:
    with pytest.raises(SettingsError, match="REDIS_CA_CERT is set: REDIS_URL should begin with rediss://"):
        load({"REDIS_URL": url, "REDIS_CA_CERT": str(certificates.authority)})


def test_a_worker_ends_with_that_line(redis_port: int, certificates: Certificates) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dramatiq", "actors", "--processes", "1", "--threads", "1"],
        env=os.environ | {"REDIS_URL": redis_address(redis_port, certificates.stranger)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "Redis cannot be trusted as REDIS_URL (or REDIS_CA_CERT) says: " in done.stderr
    assert "Traceback" not in done.stderr
