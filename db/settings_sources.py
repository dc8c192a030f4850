"""Where some settings come from: files that hold secrets, and the parts of which addresses are made."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from psycopg.conninfo import make_conninfo

from db.addresses import check_database_url, check_redis_url, in_url

#: The variables that may hold a secret. Each may be in a file instead, which NAME_FILE names, as Docker's and systemd's
#: secrets are.
SECRETS = ("DATABASE_URL", "REDIS_URL", "ADMIN_KEY", "PG_PASSWORD", "POSTGRES_PASSWORD")
#: How PG_SSL may be written, beside libpq's own names of sslmode.
PG_SSL_MODES = {"true": "require", "1": "require", "false": "disable", "0": "disable"} | {
    name: name for name in ("disable", "require", "verify-ca", "verify-full")
}
#: The option of redis-py for the authorities whose certificates are trusted.
CA_OPTION = "ssl_ca_certs"


def with_secrets_of_files(given: MutableMapping[str, str]) -> list[str]:
    """Add the secrets that are in files; return what is wrong with them."""
    problems = []
    for name in SECRETS:
        variable = f"{name}_FILE"
        if variable not in given:
            continue
        if name in given:
            problems.append(f"{name} and {variable} are both set: one of them should be")
            continue
        try:
            content = Path(given[variable]).read_text(encoding="utf-8")
        except OSError as error:
            problems.append(f"{variable} names a file that cannot be read: {error.strerror}")
        except ValueError:  # not UTF-8, or a path with U+0000
            problems.append(f"{variable} names a file that is no text in UTF-8")
        else:
            secret = content.removesuffix("\n").removesuffix("\r")
            if not secret.strip():
                problems.append(f"{variable} names an empty file")
            else:
                given[name] = secret
    return problems


def database_url(given: Mapping[str, str], should_be: str) -> str | None:
    """DATABASE_URL, or an address made of the PG_* (DB_*, POSTGRES_*) variables if one of them names a server."""
    if url := given.get("DATABASE_URL"):
        if fault := check_database_url(url):
            raise ValueError(f"DATABASE_URL {fault}: it should be {should_be}")
        return url
    if not any(name in given for name in ("PG_HOST", "PG_PORT", "PG_DATABASE", "DB_HOST", "DB_PORT")):
        return None

    def first(*names: str, default: str | None = None) -> str | None:
        return next((given[name] for name in names if name in given), default)

    ssl = first("PG_SSL")
    if ssl is not None and ssl.lower() not in PG_SSL_MODES:
        raise ValueError(f"PG_SSL is {ssl!r}: it should be true or false, verify-ca or verify-full")
    return make_conninfo(
        host=first("PG_HOST", "DB_HOST", default="127.0.0.1"),
        port=_port(given, "PG_PORT", "DB_PORT", default=5432),
        user=first("PG_USER", "POSTGRES_USER", default="postgres"),
        password=first("PG_PASSWORD", "POSTGRES_PASSWORD"),
        dbname=first("PG_DATABASE", "POSTGRES_DB", default="postgres"),
        sslmode=None if ssl is None else PG_SSL_MODES[ssl.lower()],
        sslrootcert=first("PG_SSL_ROOT_CERT"),
    )


def redis_url(given: Mapping[str, str], should_be: str) -> str | None:
    """REDIS_URL, or an address made of REDIS_HOST and REDIS_PORT; with REDIS_CA_CERT, whose certificates it trusts."""
    authorities = given.get("REDIS_CA_CERT")
    if url := given.get("REDIS_URL"):
        if fault := check_redis_url(url):
            raise ValueError(f"REDIS_URL {fault}: it should be {should_be}")
        return url if authorities is None else _trusting(url, authorities)
    if "REDIS_HOST" not in given and "REDIS_PORT" not in given:
        return None
    host = in_url(given.get("REDIS_HOST", "127.0.0.1"))
    if host is None:
        raise ValueError(f"REDIS_HOST is {given['REDIS_HOST']!r}: it should be a name or an address")
    address = f"{host}:{_port(given, 'REDIS_PORT', default=6379)}/0"
    return f"redis://{address}" if authorities is None else _trusting(f"rediss://{address}", authorities)


def _trusting(url: str, authorities: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "rediss" or CA_OPTION in parse_qs(parts.query):
        raise ValueError(f"REDIS_CA_CERT is set: REDIS_URL should begin with rediss://, and have no {CA_OPTION}")
    try:
        Path(authorities).read_bytes()
    except OSError as error:
        raise ValueError(f"REDIS_CA_CERT names a file that cannot be read: {error.strerror}") from None
    return f"{url}{'&' if parts.query else '?'}{CA_OPTION}={quote(authorities)}"


def _port(given: Mapping[str, str], *names: str, default: int) -> int:
    for name in names:
        if name in given:
            if not given[name].isdecimal() or not 0 < int(given[name]) < 65536:
                raise ValueError(f"{name} is {given[name]!r}: it should be a port number from 1 to 65535")
            return int(given[name])
    return default
