"""The address of our own PostgreSQL, and the environment variables that must not affect it.

The client library completes an address from variables such as PGPORT, PGSERVICE and PGOPTIONS. For an operator's server
that is intended; our own server is not the one that they were set for.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import quote

#: The superuser of our own server. Without a password: only users who can enter its socket's folder can connect.
USER = "tjra"
#: The start of our own server's address.
OURS = f"postgresql://{USER}@:5432/postgres?host="


def own_address(sockets: Path) -> str:
    """The address of our own server whose sockets are in this folder."""
    return f"{OURS}{quote(str(sockets), safe='')}"


def is_ours(database_url: str) -> bool:
    """Whether this is the address of a server that `tjra up` runs."""
    return database_url.startswith(OURS)


def forget_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Remove the client library's variables; those that begin with PG_ are our settings."""
    for name in [name for name in environment if name.startswith("PG") and not name.startswith("PG_")]:
        del environment[name]
