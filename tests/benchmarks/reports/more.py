"""Many more events in the months before: what becomes of the times of the reports, and how long twelve months take."""

import argparse
from datetime import date, timedelta

from rich.console import Console
from rich.table import Table

from tests.benchmarks.client import Client
from tests.benchmarks.reports import answers
from tests.benchmarks.reports.engines import PostgreSQL
from tests.benchmarks.reports.fill import LAST_DAY, fill
from tests.benchmarks.reports.measure import Measured, checked, measure, ranged
from tests.benchmarks.reports.questions import QUESTIONS, Asked, sql
from tests.conftest import Connection

#: The twelve months, of which the last one is filled already.
FIRST, END = date(2025, 7, 1), LAST_DAY + timedelta(days=1)
FILLED_FROM = date(2026, 6, 1)

BY_NAME = {question.name: question for question in QUESTIONS}
BY_MONTH = [
    Asked(f"timeseries_{metric}_by_month", "/timeseries", {"metric": metric, "interval": "month"}, answers.points)
    for metric in ("views", "users")
]
#: The answers that are compared with a count of the events by PostgreSQL; for the others that would take too long.
CHECKED = [BY_NAME[name] for name in ("timeseries_views", "breakdown_paths")]
YEAR = [
    *CHECKED,
    *(BY_NAME[name] for name in ("stats_ever", "unique_users", "breakdown_event_types")),
    *BY_MONTH,
]


def more(client: Client, conn: Connection, options: argparse.Namespace) -> bool:
    """Measure, fill, measure again and print; whether the views and paths of twelve months are what the events say."""
    ((user,),) = PostgreSQL(conn).ask(sql("busiest_user"))
    first = LAST_DAY - timedelta(days=options.days - 1)

    def measured(question: Asked, since: date) -> Measured:
        print(question.name, flush=True)
        day = LAST_DAY if question.time == "day" else since
        return measure(client, [], question, first=day, end=END, rounds=options.rounds, user=user)

    before = {question.name: measured(question, first) for question in QUESTIONS}
    grow(conn, options.more, options.users)
    table = Table("question", "before", "p95", "after", "p95", "after : before", title=f"{first} to {LAST_DAY}, ms")
    for question in QUESTIONS:
        old, new = before[question.name], measured(question, first)
        times = (f"{value:.1f}" for value in (old.ours, old.p95, new.ours, new.p95))
        table.add_row(question.name, *times, f"{new.ours / old.ours:.2f}")
    Console().print(table)
    table = Table("question", "median", "p95", title=f"{FIRST} to {LAST_DAY}, ms")
    for question in YEAR:
        of_it = measured(question, FIRST)
        table.add_row(question.name, f"{of_it.ours:.1f}", f"{of_it.p95:.1f}")
    Console().print(table)
    results = [equal(client, PostgreSQL(conn), question) for question in CHECKED]
    return all(results)


def equal(client: Client, events: PostgreSQL, question: Asked) -> bool:
    """Whether the answer about the twelve months is what a count of the events says."""
    parameters = ranged(question, FIRST, END) | question.parameters
    found = question.rows(client.get(question.path, parameters))
    return checked(question, found, events, events.ask(events.filled(question.sql, first=FIRST, end=END)))


def grow(conn: Connection, events: int, users: int) -> None:
    """Fill about so many events into the eleven months."""
    fill(conn, events=events, days=(FILLED_FROM - FIRST).days, last=FILLED_FROM - timedelta(days=1), users=users)
