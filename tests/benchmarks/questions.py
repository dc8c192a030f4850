"""What the benchmark of the reports asks: of us by HTTP, of the others by the SQL file of the same name."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tests.benchmarks.engines import Rows

FOLDER = Path(__file__).parent / "questions"
SITE = "shop-0"
ALL = ("baseline", "DuckDB", "ClickHouse")


class Asked(NamedTuple):
    """One question; what it is called is its file's name."""

    name: str
    path: str
    parameters: dict[str, Any]
    rows: Callable[[Any], Rows]
    """The rows of the SQL's answer, from our JSON; days without anything are in neither."""
    time: Literal["day", "range", "ever"] = "range"
    """Of one day only, of any range, or without one."""
    only: tuple[str, ...] = ALL
    """The engines that are asked as well."""

    @property
    def sql(self) -> str:
        return (FOLDER / f"{self.name}.sql").read_text()


def points(answer: Any) -> Rows:
    return [(point["at"][:10], point["value"]) for point in answer["points"] if point["value"]]


def hours(answer: Any) -> Rows:
    return [(micros(point["at"]), point["value"]) for point in answer["points"] if point["value"]]


def micros(time: str) -> int:
    return (datetime.fromisoformat(time) - datetime.fromisoformat("1970-01-01T00:00Z")) // timedelta(microseconds=1)


def user_points(answer: Any) -> Rows:
    found = [(point["at"][:10], point["value"], point["anonymous"]) for point in answer["points"]]
    return [row for row in found if any(row[1:])]


def returns(answer: Any) -> Rows:
    return [
        (cohort["cohort"], period, users)
        for cohort in answer["cohorts"]
        for period, users in enumerate(cohort["values"])
        if users
    ]


def types(answer: Any) -> Rows:
    return [(row["value"], row["events"], row["users"], row["anonymous"]) for row in answer["rows"]]


def stats(answer: Any) -> Rows:
    totals = [("views", answer["total_views"]), ("users", answer["unique_users"])]
    return totals + [(top["path"], top["views"]) for top in answer["top_paths"]]


QUESTIONS = [
    Asked("stats", "/stats", {}, stats, "day"),
    Asked("stats_ever", "/stats", {}, stats, "ever"),
    Asked("timeseries_events", "/timeseries", {"metric": "events", "interval": "day"}, points),
    Asked("timeseries_views", "/timeseries", {"metric": "views", "interval": "day"}, points),
    Asked("timeseries_hours", "/timeseries", {"metric": "views", "interval": "hour"}, hours),
    Asked("timeseries_users", "/timeseries", {"metric": "users", "interval": "day"}, user_points),
    Asked(
        "breakdown_paths",
        "/breakdown",
        {"dimension": "path"},
        lambda answer: [(row["value"], row["events"]) for row in answer["rows"]],
    ),
    Asked("breakdown_event_types", "/breakdown", {"dimension": "event_type", "metrics": "events,users"}, types),
    Asked(
        "unique_users",
        "/breakdown",
        {"dimension": "event_type", "metrics": "events,users", "limit": 1},
        lambda answer: [(answer["total"]["users"], answer["total"]["anonymous"])],
    ),
    Asked("retention", "/retention", {"interval": "day", "periods": 30}, returns),
]
