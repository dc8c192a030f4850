"""Asking us and the engines the same question in turn: the times, and whether the answers are equal."""

import time
from collections.abc import Callable, Sequence
from datetime import date
from math import ceil, isclose, nan
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.client import Client, NotAnswered
from tests.benchmarks.reports.engines import Engine, Rows
from tests.benchmarks.reports.questions import SITE, Asked

#: An engine that takes longer than so many milliseconds is asked so many times only.
SLOW, SLOW_ROUNDS = 5_000, 2


class Measured(NamedTuple):
    """Times in milliseconds: of ours the median and the 95th percentile, of each other engine the median."""

    ours: float
    p95: float
    others: dict[str, float]
    equal: bool

    def cells(self, names: Sequence[str]) -> list[str]:
        """What a table says of it, with these engines."""
        best = min(self.others.values(), default=None)
        times = [self.ours, self.p95, *(self.others.get(name) for name in names)]
        ratio = "-" if best is None else f"{best / self.ours:.1f}"
        return [*("-" if value is None else f"{value:,.1f}" for value in times), ratio]


def measure(
    client: Client,
    others: Sequence[Engine],
    question: Asked,
    *,
    first: date,
    end: date,
    rounds: int,
    **names: str,
) -> Measured:
    """Ask in turns; names: what else the SQL leaves to be filled. Prints what is wrong with an answer of ours."""
    parameters = ranged(question, first, end) | question.parameters
    path = question.path.format(**names)

    def ours() -> Any:
        return client.get(path, parameters)

    asked = [engine for engine in others if engine.name in question.only]
    sql = {engine: engine.filled(question.sql, first=first, end=end, **names) for engine in asked}
    try:
        found, equal = question.rows(ours()), True
    except NotAnswered as error:
        print(f"NOT ANSWERED: {error}")
        return Measured(nan, nan, {}, False)
    for engine in asked:
        equal &= checked(question, found, engine, engine.ask(sql[engine]))
    our_times: list[float] = []
    times: dict[Engine, list[float]] = {engine: [] for engine in asked}
    for _ in range(rounds):
        our_times.append(milliseconds(ours))
        for engine, of_it in times.items():
            if len(of_it) < SLOW_ROUNDS or median(of_it) < SLOW:
                of_it.append(milliseconds(lambda engine=engine: engine.ask(sql[engine])))  # type: ignore[misc]
    medians = {engine.name: median(of_it) for engine, of_it in times.items()}
    return Measured(median(our_times), percentile_95(our_times), medians, equal)


def checked(question: Asked, found: Rows, engine: Engine, expected: Rows) -> bool:
    """Whether ours are the rows that another engine found; prints the first that are not."""
    if same(found, expected):
        return True
    print(f"NOT EQUAL: {question.name}: {len(found)} rows, {engine.name} {len(expected)}; the first that differ:")
    pairs = zip(ordered(found), ordered(expected), strict=False)
    for ours, other in [pair for pair in pairs if not row_same(*pair)][:5]:
        print(f"  ours {ours}, {engine.name} {other}")
    return False


def ranged(question: Asked, first: date, end: date) -> dict[str, str]:
    """Which site, and which time."""
    time = {"day": {"date": str(first)}, "range": {"from": str(first), "to": str(end)}, "ever": {}, "now": {}}
    return {} if question.path == "/sites" else {"site_id": SITE, **time[question.time]}


def same(found: Rows, expected: Rows) -> bool:
    """Whether these are the same rows in whatever order, their fractions to a millionth."""
    return len(found) == len(expected) and all(map(row_same, ordered(found), ordered(expected)))


def row_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(map(value_same, one, other))


def value_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and isclose(one, other, rel_tol=1e-12, abs_tol=1e-6)
    return bool(one == other) or str(one) == str(other)


def ordered(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: [str(value) for value in row])


def percentile_95(times: Sequence[float]) -> float:
    return sorted(times)[ceil(0.95 * len(times)) - 1]


def milliseconds(ask: Callable[[], Any]) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1000
