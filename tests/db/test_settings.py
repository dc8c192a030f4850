"""Settings: read from variables, also the owner's older names; a wrong value stops the start and is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.durable.broker import connect
from db.settings import Settings, SettingsError, load


def test_without_variables_the_defaults_hold() -> None:
    assert load({}) == Settings()


def test_the_environment_goes_before_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("INGESTION_PORT=4000\nREPORTING_PORT=4001\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPORTING_PORT", "5001")
    settings = load()
    assert (settings.ingestion_port, settings.reporting_port) == (4000, 5001)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load({"DATABASE_URL": "", "INGESTION_PORT": " "}) == Settings()


def test_the_owners_variables_make_an_address() -> None:
    settings = load(
        {
            "PG_HOST": "db.example",
            "PG_PORT": "6543",
            "PG_USER": "ann",
            "PG_PASSWORD": "it's a secret",
            "PG_DATABASE": "shop",
            "PG_SSL": "verify-full",
            "PG_SSL_ROOT_CERT": "/etc/ca.pem",
            "REDIS_HOST": "redis.example",
            "REDIS_PORT": "6380",
        }
    )
    assert settings.database_url == (
        "host=db.example port=6543 user=ann password='it\\'s a secret' dbname=shop sslmode=verify-full "
        "sslrootcert=/etc/ca.pem"
    )
    assert settings.redis_url == "redis://redis.example:6380/0"


def test_the_other_names_make_an_address_too() -> None:
    settings = load(
        {"DB_HOST": "db", "POSTGRES_USER": "ann", "POSTGRES_PASSWORD": "x", "POSTGRES_DB": "shop", "REDIS_HOST": "r"}
    )
    assert settings.database_url == "host=db port=5432 user=ann password=x dbname=shop"
    assert settings.redis_url == "redis://r:6379/0"


def test_a_password_alone_names_no_server() -> None:
    assert load({"POSTGRES_PASSWORD": "for compose"}).database_url is None


def test_an_address_goes_before_its_parts() -> None:
    settings = load(
        {"DATABASE_URL": "postgresql://a@b/c", "PG_HOST": "x", "REDIS_URL": "redis://r/1", "REDIS_HOST": "x"}
    )
    assert (settings.database_url, settings.redis_url) == ("postgresql://a@b/c", "redis://r/1")


@pytest.mark.parametrize(
    ("name", "value", "should_be"),
    [
        ("INGESTION_PORT", "abc", "a port number"),
        ("REPORTING_PORT", "70000", "a port number"),
        ("PG_PORT", "x", "a port number"),
        ("REDIS_PORT", "-1", "a port number"),
        ("PG_SSL", "maybe", "true or false"),
        ("EVENTS_AHEAD_HOURS", "-1", "hours from 0 to 720"),
        ("EVENTS_NOT_BEFORE", "yesterday", "YYYY-MM-DD"),
        ("EVENTS_NOT_BEFORE", "1969-12-31", "from 1970-01-01 on"),
        ("REDIS_NAMESPACE", "a b", "letters, digits"),
        ("LOG_LEVEL", "loud", "debug, info"),
        ("SITE_KEYS", "key", "key=site_id"),
        ("SITE_KEYS", "key=shop,", "key=site_id"),
        ("CORS_ORIGINS", "shop.example", "https://shop.example"),
        ("ALLOWED_HOSTS", "https://shop.example", "names of hosts without ports"),
        ("CORS_ORIGINS", "https://shop.example/", "https://shop.example"),
        ("BOTS", "ban", "drop, mark or keep"),
        ("COUNTRY_HEADER", "CF IPCountry", "the name of a header"),
        ("SOURCES", "blog.example", "host=name:category"),
        ("SOURCES", "blog.example=blog:web", "host=name:category"),
        ("OPERATIONS_OPEN_TO", "localhost", "nobody, loopback or all"),
        ("SITES", "closed", "open or registered"),
        ("DATABASE_URL", "mysql://secret@host/db", "a PostgreSQL address"),
        ("DATABASE_URL", "postgresql://ann:secret@host/db?schema=shop", "schema .options=-csearch_path%3DNAME"),
        ("DATABASE_URL", "postgresql://ann:secret@host/db?connection_limit=5", "connection_limit .leave it out"),
        ("DATABASE_URL", "host=db password=secret ssl=true", "ssl .sslmode=require"),
        ("DATABASE_URL", "postgresql://ann:secret@host:x/db", "a port that is not a number"),
        ("DATABASE_URL", "postgresql://ann:secret@host:65536,other:5432/db", "a port that is not a number"),
        ("REDIS_HOST", "two hosts", "a name or an address"),
        ("REDIS_HOST", "::x", "a name or an address"),
        ("REDIS_URL", "redis://:secret@host:abc/0", "a port that is not a number"),
        ("REDIS_URL", "redis://:secret@host:65536", "a port that is not a number"),
        ("REDIS_URL", "redis://:se/secret@host", "a port that is not a number"),
        ("REDIS_URL", "redis://:secret@[::1/0", "cannot be read"),
        ("REDIS_URL", "redis://:secret@host/shop", "a database that is not a number"),
        ("REDIS_URL", "http://:secret@host", "a Redis address"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_should_be(name: str, value: str, should_be: str) -> None:
    host = {"PG_HOST": "db"} if name.startswith("PG_") else {}
    with pytest.raises(SettingsError, match=f"(?s){name}.*{should_be}") as error:
        load({name: value, **host})
    assert "secret" not in str(error.value)


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load({"INGESTION_PORT": "x", "LOG_LEVEL": "y", "DATABASE_URL": "z", "REDIS_URL": "w"})
    assert str(error.value).count("should be") == 4


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "redis://[::1]:6379/0"),
        ("[fe80::1]", "redis://[fe80::1]:6379/0"),
        ("redis_1.example", "redis://redis_1.example:6379/0"),
        ("127.0.0.1", "redis://127.0.0.1:6379/0"),
    ],
)
def test_any_host_can_be_in_an_address(host: str, url: str) -> None:
    assert load({"REDIS_HOST": host}).redis_url == url
    assert "host=::1 " in str(load({"PG_HOST": "::1"}).database_url)


@pytest.mark.parametrize("option", ["sockettimeout=1", "socket_timeout=soon", "max_connections=x"])
def test_an_option_of_redis_that_cannot_be_used_is_an_error(option: str) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL has an option that cannot be used: "):
        connect(f"redis://127.0.0.1:1/0?{option}")


@pytest.mark.parametrize(
    "command",
    [
        ["uvicorn", "apps.ingestion:app", "--port", "0"],
        ["uvicorn", "apps.reporting:app", "--port", "0"],
        ["dramatiq", "actors", "--processes", "1"],
        ["apps", "migrate"],
    ],
    ids=lambda command: command[0] + " " + command[1],
)
def test_a_wrong_value_stops_each_program_with_its_reason(command: list[str]) -> None:
    environment = os.environ | {"INGESTION_PORT": "abc"}
    done = subprocess.run(
        [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "INGESTION_PORT is 'abc': it should be a port number" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_that_lacks_an_address_says_which() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "apps", "migrate"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "DATABASE_URL is not set" in done.stderr


@pytest.mark.parametrize(
    ("given", "mode"), [("true", "require"), ("0", "disable"), ("require", "require"), ("VERIFY-CA", "verify-ca")]
)
def test_tls_to_postgresql_is_named_as_the_client_library_does_or_plainly(given: str, mode: str) -> None:
    assert str(load({"PG_HOST": "db", "PG_SSL": given}).database_url).endswith(f" sslmode={mode}")
