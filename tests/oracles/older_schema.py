"""Databases as they were before a migration, and storing in them."""

from hashlib import sha256
from typing import Any

from db.queries import MIGRATIONS
from tests.apps.reports.test_revenue import order
from tests.builders.factories import batch
from tests.conftest import Connection


def migrate_before(name: str, conn: Connection) -> None:
    """The schema as it was before that migration."""
    with conn.transaction():
        conn.execute(
            "create table migrations"
            " (name text primary key, checksum text not null, applied_at timestamptz not null default now())"
        )
        for path in MIGRATIONS:
            if path.stem < name:
                conn.execute(path.read_bytes())
                values = [path.stem, sha256(path.read_bytes()).hexdigest()]
                conn.execute("insert into migrations (name, checksum) values (%s, %s)", values)


def sell_before(conn: Connection, site: str, day: str, order_id: str, revenue: Any, **properties: Any) -> None:
    """An order of a lamp, stored by that schema's own function."""
    lamp = {"sku": "lamp", "name": "Lamp", "price": 2}
    one = order(
        site, day, **{"currency": "EUR", "products": [lamp], "order_id": order_id, "revenue": revenue} | properties
    )
    conn.execute("select make_partition(%s)", [one.timestamp])
    conn.execute("select store_events(%s::text::jsonb)", [batch(one).decode()])
