"""The reports beside other engines on the same events, how fast and how equal: `python -m tests.benchmarks.reports`.

Needs the extra `benchmarks`. Fails where an answer is not equal.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.client import Client
from tests.benchmarks.place import Place
from tests.benchmarks.reports.engines import Engine, engines
from tests.benchmarks.reports.fill import LAST_DAY, fill
from tests.benchmarks.reports.measure import measure
from tests.benchmarks.reports.more import more
from tests.benchmarks.reports.questions import QUESTIONS, Asked, sql

END = LAST_DAY + timedelta(days=1)
CAPTION = "milliseconds, median; ours with HTTP and JSON, the others asked in process and the baseline by psycopg"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.reports", description=__doc__)
    parser.add_argument("--database", help="address of a PostgreSQL that is filled already")
    parser.add_argument("--events", type=int, default=10_000_000, help="to fill one with (default 10 million)")
    parser.add_argument("--days", type=int, default=30, help="that the events are of (default 30)")
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=Path, help="where copies of the events are kept for another time")
    parser.add_argument("--baseline", type=Path, help="folder of the baseline: schema.sql")
    parser.add_argument("--more", type=int, help="instead: fill so many more into the months before, ask ours again")
    options = parser.parse_args()
    first = LAST_DAY - timedelta(days=options.days - 1)
    with Place(None, database=options.database) as place, place.connect() as conn:
        if not options.database:
            fill(conn, events=options.events, days=options.days, users=options.users)
        if options.more:
            with place.app("apps.reporting:app") as address, Client(address) as client:
                return 0 if more(client, conn, options) else 1
        folder: Path = options.folder or place.folder
        folder.mkdir(parents=True, exist_ok=True)
        others = engines(conn, folder.absolute(), options.baseline)
        with place.app("apps.reporting:app") as address, Client(address) as client:
            of_a_day = compare(client, others, QUESTIONS, LAST_DAY, options.rounds)
            ranges = [question for question in QUESTIONS if question.time == "range"]
            return 0 if compare(client, others, ranges, first, options.rounds) and of_a_day else 1


def compare(client: Client, others: Sequence[Engine], questions: Sequence[Asked], first: date, rounds: int) -> bool:
    """Print a table with a line a question; whether all answers are equal."""
    names = [engine.name for engine in others]
    ((user,),) = others[0].ask(sql("busiest_user"))
    title = f"{first} to {LAST_DAY}"
    table = Table("question", "ours", "p95", *names, "best other : ours", title=title, caption=CAPTION)
    equal = True
    for question in questions:
        print(question.name, flush=True)
        measured = measure(client, others, question, first=first, end=END, rounds=rounds, user=user)
        table.add_row(question.name, *measured.cells(names))
        equal &= measured.equal
    Console().print(table)
    return equal


if __name__ == "__main__":
    sys.exit(main())
