"""A Citus that the tests may use: `Cluster(coordinator_url)` makes databases on all of its nodes, and drops them."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

#: Shards of a table: few, as each statement that names no site asks all of them.
SHARDS = 4


class Cluster:
    """Its nodes are those of the database that the address names. Databases are as an operator makes them."""

    def __init__(self, url: str) -> None:
        self.url = url
        with self.connect(url) as conn:
            nodes = conn.execute(
                "select nodename, nodeport, groupid = 0 from pg_dist_node where noderole = 'primary' order by groupid"
            ).fetchall()
        self.workers = [(name, port) for name, port, is_coordinator in nodes if not is_coordinator]
        given = conninfo_to_dict(url)
        self.coordinator = (str(given.get("host") or "127.0.0.1"), int(given.get("port") or 5432))
        for name, port, is_coordinator in nodes:
            if is_coordinator:
                self.coordinator = (name, port)

    def create(self, name: str, *, nodes: bool = True) -> str:
        """Make a database and answer its address; without `nodes` it is one of plain PostgreSQL, for now."""
        for node in (self.coordinator, *self.workers):
            with self.connect(self.address(node)) as conn:
                conn.execute(f"create database {name} encoding 'UTF8' locale 'C' template template0".encode())
        if nodes:
            self.add_nodes(name)
        return self.address(self.coordinator, name)

    def add_nodes(self, name: str) -> None:
        """Make a database one of Citus."""
        for node in (self.coordinator, *self.workers):
            with self.connect(self.address(node, name)) as conn:
                conn.execute("create extension citus")
        with self.connect(self.address(self.coordinator, name)) as conn:
            conn.execute("select citus_set_coordinator_host(%s, %s)", self.coordinator)
            for worker in self.workers:
                conn.execute("select citus_add_node(%s, %s)", worker)
            conn.execute(f"alter database {name} set citus.shard_count = {SHARDS}".encode())

    def drop(self, name: str) -> None:
        """Drop a database on all nodes."""
        for node in (self.coordinator, *self.workers):
            with self.connect(self.address(node)) as conn:
                conn.execute(f"drop database if exists {name} with (force)".encode())

    def address(self, node: tuple[Any, Any], name: str | None = None) -> str:
        """The address of a database, of the given one unless named, at a node."""
        return make_conninfo(self.url, host=node[0], port=node[1], **({"dbname": name} if name else {}))

    def connect(self, url: str) -> psycopg.Connection[Any]:
        """A connection by which every statement is a transaction."""
        return psycopg.connect(url, autocommit=True)


def is_coordinator(url: str) -> bool:
    """Whether a database is one of Citus."""
    with psycopg.connect(url) as conn:
        return conn.execute("select 1 from pg_extension where extname = 'citus'").fetchone() is not None


def copy_from_nodes(conn: psycopg.Connection[Any]) -> None:
    """Have temporary copies of all tables in their place until the end of the transaction, where they are spread.

    So a test can ask whatever it likes, which Citus cannot answer of all.
    """
    if not conn.execute("select 1 from pg_extension where extname = 'citus'").fetchone():
        return
    tables = conn.execute(
        "select logicalrelid::text from pg_dist_partition p join pg_class c on c.oid = p.logicalrelid"
        " where not c.relispartition"
    ).fetchall()
    for (table,) in tables:
        conn.execute(f"create temporary table {table} on commit drop as table public.{table}".encode())
