"""The reports beside DuckDB on the same events, how fast and whether equal: `python -m tests.benchmarks.reports`."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from math import ceil
from statistics import median
from typing import Any

import duckdb
import httpx
from rich.console import Console
from rich.table import Table

from tests.benchmarks.fill import LAST_DAY, fill
from tests.benchmarks.place import Place
from tests.benchmarks.questions import QUESTIONS, STATS, Asked, Rows

SITE = "shop-0"
END = LAST_DAY + timedelta(days=1)
#: A side that takes longer than so many seconds is asked so many times.
SLOW, SLOW_ROUNDS = 5, 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    equal = True
    with Place(None) as place:
        with place.connect() as conn:
            first = fill(conn, events=asked.events, days=asked.days, users=asked.users)
        other = copied(place)
        with place.app("apps.reporting:app") as address, httpx.Client(base_url=address, timeout=600) as client:
            for start, questions in ((LAST_DAY, [STATS, *QUESTIONS]), (first, QUESTIONS)):
                table = Table("question", "ours", "p95", "DuckDB", "DuckDB : ours", title=f"{start} to {LAST_DAY}, ms")
                for question in questions:
                    equal &= compare(client, other, question, start, asked.rounds, table)
                Console().print(table)
    return 0 if equal else 1


def copied(place: Place) -> duckdb.DuckDBPyConnection:
    """A DuckDB file of the events."""
    csv = place.folder / "events.csv"
    columns = "site_id, event_type, path, user_id, event_time at time zone 'UTC' as event_time"
    query = f"copy (select {columns} from events) to stdout (format csv, header)"
    with place.connect() as conn, csv.open("wb") as file, conn.cursor().copy(query) as copy:
        file.writelines(copy)
    other = duckdb.connect(str(place.folder / "events.duckdb"))
    other.execute("create table events (site_id text, event_type text, path text, user_id text, event_time timestamp)")
    other.execute(f"copy events from '{csv}' (header)")
    return other


def compare(
    client: httpx.Client, other: duckdb.DuckDBPyConnection, question: Asked, start: date, rounds: int, table: Table
) -> bool:
    """Ask both in turn and add a line to the table; whether the answers are equal."""
    range_ = {"date": str(start)} if question is STATS else {"from": str(start), "to": str(END)}
    parameters = {"site_id": SITE} | range_ | question.parameters
    sql = question.sql

    def ours() -> Rows:
        answer = client.get(question.path, params=parameters).raise_for_status()
        return question.rows(answer.json())

    def theirs() -> Rows:
        return other.execute(sql, {"first": start, "end": END}).fetchall()

    expected, found = comparable(theirs()), comparable(ours())
    our_times: list[float] = []
    their_times: list[float] = []
    for _ in range(rounds):
        our_times.append(milliseconds(ours))
        if len(their_times) < SLOW_ROUNDS or median(their_times) < SLOW * 1000:
            their_times.append(milliseconds(theirs))
    our_median, their_median = median(our_times), median(their_times)
    p95 = sorted(our_times)[ceil(0.95 * rounds) - 1]
    figures = (our_median, p95, their_median)
    table.add_row(question.name, *(f"{value:,.1f}" for value in figures), f"{their_median / our_median:.2f}")
    if found != expected:
        print(f"NOT EQUAL: {question.name} from {start}\n  ours   {found}\n  DuckDB {expected}")
    return found == expected


def comparable(rows: Rows) -> list[tuple[str, ...]]:
    """In one order, days as they are in JSON."""
    return sorted(tuple(str(value) for value in row) for row in rows)


def milliseconds(ask: Callable[[], Any]) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    sys.exit(main())
