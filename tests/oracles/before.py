"""The schema as it was before version 0.1.0: what a database may be carried over from."""

import gzip
import json
from hashlib import sha256
from pathlib import Path

import psycopg

#: Its migrations, by name.
MIGRATIONS: dict[str, str] = json.loads(
    gzip.decompress(Path(__file__).with_name("migrations_before_0_1_0.json.gz").read_bytes())
)
#: The last one that was ever in use.
LAST = "0030_user_months"


def migrate_as_before(url: str, last: str = LAST) -> None:
    """Bring an empty database to that schema."""
    with psycopg.connect(url) as conn:
        conn.execute(
            "create table migrations"
            " (name text primary key, checksum text not null, applied_at timestamptz not null default now())"
        )
        for name, text in MIGRATIONS.items():
            if name <= last:
                conn.execute(text.encode())
                values = [name, sha256(text.encode()).hexdigest()]
                conn.execute("insert into migrations (name, checksum) values (%s, %s)", values)
