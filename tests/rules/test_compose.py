"""docker-compose.yml is YAML that Compose takes, has all settings, and publishes nothing by chance."""

import asyncio
import ipaddress
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db.settings import Settings, load
from db.settings_sources import SECRETS

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "docker-compose.yml"
#: `${NAME}`, `${NAME:-default}` and `${NAME-default if it is not set}`, the innermost: a default may hold others.
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?:(:?)-([^${}]*))?\}")
#: Settings that are Compose's own business: where processes listen in their containers, and keep data.
#: The last is an option of the commands.
NOT_PASSED = {"listen_host", "worker_port", "data_dir", "keep_alive_seconds"}
#: Those that name the file with a secret. PG_PASSWORD is here POSTGRES_PASSWORD.
SECRETS_OF_SETTINGS = [f"{name}_FILE" for name in SECRETS if name != "PG_PASSWORD"]
#: Ways to call Compose.
COMMANDS = [["docker", "compose"], ["docker-compose"]]


def composed(**environment: str) -> dict[str, Any]:
    """The file as Compose reads it with these variables."""

    def chosen(name: str, colon: str, default: str) -> str:
        given = environment.get(name)
        return default if given is None or (colon and not given) else given

    def filled(value: Any) -> Any:
        match value:
            case dict():
                return {name: filled(part) for name, part in value.items()}
            case list():
                return [filled(part) for part in value]
            case str():
                text = VARIABLE.sub(lambda found: chosen(*found.groups("")), value)
                return text if text == value else filled(text)
            case _:
                return value

    read: dict[str, Any] = filled(yaml.safe_load(FILE.read_text()))
    return read


def published(**environment: str) -> dict[str, list[str]]:
    """Where each service can be reached from outside of the containers' network."""
    services = composed(**environment)["services"]
    return {name: service["ports"] for name, service in services.items() if "ports" in service}


def test_it_is_yaml_before_any_variable_is_filled_in() -> None:
    assert set(yaml.safe_load(FILE.read_text())["services"]) == {
        "postgres", "redis", "migrate", "ingestion", "reporting", "worker",
    }  # fmt: skip


def test_compose_takes_it(record_property: Callable[[str, object], None]) -> None:
    works = [command for command in COMMANDS if _runs([*command, "version"])]
    for command in works:
        done = subprocess.run([*command, "-f", FILE, "config", "--quiet"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    if not works:
        record_property("NOT RUN", "docker compose config, for Compose is not installed")


def test_only_ingestion_can_be_reached_from_other_machines() -> None:
    assert published() == {"ingestion": ["3000:3000"], "reporting": ["127.0.0.1:3001:3001"]}
    chosen = published(REPORTING_HOST="192.0.2.1", REPORTING_PORT="8001", INGESTION_PORT="80")
    assert chosen == {"ingestion": ["80:3000"], "reporting": ["192.0.2.1:8001:3001"]}


@pytest.mark.parametrize("service", ["migrate", "ingestion", "reporting", "worker"])
def test_every_setting_reaches_every_process(service: str) -> None:
    environment = composed()["services"][service]["environment"]
    assert {name.upper() for name in Settings.__struct_fields__ if name not in NOT_PASSED} <= set(environment)
    settings = load({name: str(value) for name, value in environment.items()})
    for name in ("ingestion_port", "reporting_port", "bots", "queue_max_messages", "events_not_before"):
        assert getattr(settings, name) == getattr(Settings(), name)


def test_no_container_writes_elsewhere_or_gains_privileges() -> None:
    for name, service in composed()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "/tmp" in service["tmpfs"], name  # noqa: S108 (that of the container)
        assert not {"privileged", "network_mode", "pid"} & set(service), name
        # Only the servers' own images start as root.
        assert ("cap_add" in service) == ("build" not in service), name
        assert set(service.get("cap_add", ())) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}, name
    users = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.M)
    assert users
    assert "root" not in users


def test_a_password_may_be_in_a_file_and_then_only_there(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("of a file\n")
    services = composed(POSTGRES_PASSWORD="", POSTGRES_PASSWORD_FILE=str(secret))["services"]
    for name in ("postgres", "migrate", "reporting", "worker"):
        assert services[name]["environment"]["POSTGRES_PASSWORD"] == ""
    environment = {name: str(value) for name, value in services["reporting"]["environment"].items()}
    assert "password='of a file'" in str(load(environment).database_url)
    assert "password=tjra " in str(load({k: str(v) for k, v in _environment("reporting").items()}).database_url)


def _environment(service: str, **chosen: str) -> dict[str, Any]:
    found: dict[str, Any] = composed(**chosen)["services"][service]["environment"]
    return found


@pytest.mark.parametrize("name", [*SECRETS_OF_SETTINGS, "REDIS_CA_CERT"])
@pytest.mark.parametrize("service", ["migrate", "ingestion", "reporting", "worker"])
def test_what_names_a_file_reaches_every_process(service: str, name: str) -> None:
    assert _environment(service, **{name: "/run/secrets/one"})[name] == "/run/secrets/one"


@pytest.mark.parametrize("subnet", [None, "10.9.8.0/24"])
def test_the_proxy_before_it_is_believed_and_nobody_else(subnet: str | None) -> None:
    chosen = {"DOCKER_SUBNET": subnet} if subnet else {}
    file = composed(**chosen)
    network = ipaddress.ip_network(file["networks"]["default"]["ipam"]["config"][0]["subnet"])
    trusted = file["services"]["ingestion"]["environment"]["FORWARDED_ALLOW_IPS"]
    gateway, container = str(network[1]), str(network[9])
    for proxy in (gateway, container):
        assert asyncio.run(client_seen(trusted, proxy=proxy)) == "203.0.113.7"
    for stranger in ("198.51.100.9", "192.168.1.20"):
        assert asyncio.run(client_seen(trusted, proxy=stranger)) == stranger


def test_a_proxy_elsewhere_can_be_named() -> None:
    named = composed(FORWARDED_ALLOW_IPS="192.168.1.20")["services"]["ingestion"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert asyncio.run(client_seen(named, proxy="192.168.1.20")) == "203.0.113.7"


async def client_seen(trusted: str, *, proxy: str) -> str:
    """Whom an app takes for its client, where a proxy says that it asks for 203.0.113.7."""
    seen = []

    async def app(scope: Any, *_: Any) -> None:
        seen.append(scope["client"][0])

    scope: Any = {"type": "http", "client": (proxy, 1), "headers": [(b"x-forwarded-for", b"203.0.113.7")]}
    never: Any = None
    await ProxyHeadersMiddleware(app, trusted_hosts=trusted)(scope, never, never)
    return str(seen[0])


def _runs(command: list[str]) -> bool:
    found = shutil.which(command[0])
    return bool(found) and subprocess.run(command, env=os.environ, capture_output=True).returncode == 0
