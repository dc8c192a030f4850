"""The SQL files by their paths: `QUERIES["reports/stats_day"]` is the text of sql/reports/stats_day.sql.

Parameters are written in psql's notation, so that each file can be run by hand:
`psql "$DATABASE_URL" -v site_id=shop -v date=2026-01-02 -f sql/reports/stats_day.sql`
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "sql"


def _for_psycopg(text: bytes) -> bytes:
    return re.sub(rb":'(\w+)'", rb"%(\1)s", text.replace(b"%", b"%%"))


QUERIES = {
    path.relative_to(FOLDER).with_suffix("").as_posix(): _for_psycopg(path.read_bytes())
    for path in sorted(FOLDER.glob("*/*.sql"))
    if path.parent.name != "migrations"
}
MIGRATIONS = sorted((FOLDER / "migrations").glob("*.sql"))
#: One function each, in path order: functions in SQL come after those that they call.
FUNCTIONS = sorted((FOLDER / "functions").glob("*/*.sql"))
CARRY_OVER = (FOLDER / "carry_over.sql").read_bytes()
CITUS = (FOLDER / "citus.sql").read_bytes()
