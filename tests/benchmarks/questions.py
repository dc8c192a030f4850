"""What the benchmark of the reports asks: of us by HTTP, of DuckDB by the SQL file of the same name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "questions"

Rows = list[tuple[Any, ...]]


class Asked(NamedTuple):
    """One question; what it is called is its file's name."""

    name: str
    path: str
    parameters: dict[str, Any]
    rows: Callable[[Any], Rows]
    """The rows of the SQL's answer, from our JSON; days without anything are in neither."""

    @property
    def sql(self) -> str:
        return (FOLDER / f"{self.name}.sql").read_text()


def points(answer: Any) -> Rows:
    return [(point["at"][:10], point["value"]) for point in answer["points"] if point["value"]]


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


#: Of one day only.
STATS = Asked("stats", "/stats", {}, lambda answer: [(answer["total_views"], answer["unique_users"])])
QUESTIONS = [
    Asked("timeseries_events", "/timeseries", {"metric": "events", "interval": "day"}, points),
    Asked("timeseries_views", "/timeseries", {"metric": "views", "interval": "day"}, points),
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
