"""A database for each life, on a server that is given or on one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

from tests.servers.servers import Servers


class Databases:
    """Makes databases on a server: that at `url`, or one that is started for as long as this is entered."""

    def __init__(self, url: str | None = None) -> None:
        self.servers = None if url else Servers()
        self.url = url or (self.servers.database_url if self.servers else "")

    def __enter__(self) -> "Databases":
        if self.servers:
            self.servers.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.servers:
            self.servers.stop()

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """An empty database, gone afterwards."""
        name = f"life_{uuid4().hex[:12]}"
        self._administer(f"create database {name} encoding 'UTF8' locale 'C' template template0")
        try:
            yield make_conninfo(self.url, dbname=name)
        finally:
            self._administer(f"drop database {name} with (force)")

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(statement.encode())
