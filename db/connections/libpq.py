"""Our own PostgreSQL's address, and what of the environment must not reach it.

The client library fills in what an address leaves open from variables such as PGPORT, PGSERVICE and PGOPTIONS. For a
server that an operator names, that is their wish; our own one has nothing to do with the server they were set for.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import quote

#: The superuser of our own server. Only who may enter its socket's folder can connect, and so needs no password.
USER = "tjra"
#: How the address of our own server begins.
OURS = f"postgresql://{USER}@:5432/postgres?host="


def own_address(sockets: Path) -> str:
    """The address of our own server with this folder of sockets."""
    return f"{OURS}{quote(str(sockets), safe='')}"


def is_ours(database_url: str) -> bool:
    """Whether this is the address of a server that `tjra up` runs."""
    return database_url.startswith(OURS)


def forget_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Remove the client library's variables; those that begin with PG_ are settings of ours."""
    for name in [name for name in environment if name.startswith("PG") and not name.startswith("PG_")]:
        del environment[name]
