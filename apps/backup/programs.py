"""Find PostgreSQL's client programs: those of the extra `embedded`, or those of the system if they are new enough."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click

from apps.up.embedded.binaries import NotInstalled, postgres_package
from db.backups import address
from db.connections.libpq import forget_environment, is_ours

#: Debian's folder with the programs of each version.
DEBIAN = Path("/usr/lib/postgresql")
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def programs(*, server: int, needed: tuple[str, ...] = ("psql", "pg_dump", "pg_restore")) -> Path:
    """The folder with programs of the server's major version or newer.

    Raises ClickException that names the installed versions and what to install.
    """
    seen = []
    for folder in _folders():
        if all((folder / name).exists() for name in needed):
            version = _version(folder / needed[0])
            if version >= server:
                return folder
            seen.append(f"{folder} has {version}")
    found = f" ({'; '.join(seen)})" if seen else ""
    raise click.ClickException(
        f"PostgreSQL's {' and '.join(needed)} of version {server} or newer are needed{found}: "
        f"pip install 'tjra-retail-analytics[embedded]', or apt-get install postgresql-client-{server}"
    )


def connection(database_url: str) -> tuple[str, dict[str, str]]:
    """The value of `--dbname`, and the environment with the password: other users can see a program's arguments."""
    if is_ours(database_url):
        forget_environment()
    conninfo, secrets = address(database_url)
    return conninfo, os.environ | secrets


def _folders() -> Iterator[Path]:
    with suppress(NotInstalled):
        yield postgres_package() / "pginstall" / "bin"
    versions = (path.name for path in DEBIAN.glob("[0-9]*") if path.name.isdecimal())
    for version in sorted(versions, key=int, reverse=True):
        yield DEBIAN / version / "bin"
    if program := shutil.which("pg_dump"):
        yield Path(program).resolve().parent


def _version(program: Path) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = VERSION.search(done.stdout)
    return int(found[1]) if found else 0
