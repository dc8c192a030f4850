"""What the benchmark of the reports asks: of us by HTTP, of the others by the SQL file of the same name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tests.benchmarks.reports import answers
from tests.benchmarks.reports.engines import Rows

FOLDER = Path(__file__).parent / "questions"
SITE = "shop-0"
ALL = ("baseline", "DuckDB", "ClickHouse")


class Asked(NamedTuple):
    """One question; what it is called is its file's name."""

    name: str
    path: str
    parameters: dict[str, Any]
    rows: Callable[[Any], Rows]
    """The rows of the SQL's answer, from our JSON."""
    time: Literal["day", "range", "ever", "now"] = "range"
    """Of one day only, of any range, of all time, or of the last minutes."""
    only: tuple[str, ...] = ALL
    """The engines that are asked as well."""

    @property
    def sql(self) -> str:
        return sql(self.name) if self.only else ""


def sql(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


FUNNEL = {"step": ["page_view", "click", "purchase"], "window": "1d"}
QUESTIONS = [
    Asked("stats", "/stats", {}, answers.stats, "day"),
    Asked("stats_ever", "/stats", {}, answers.stats, "ever"),
    Asked("timeseries_events", "/timeseries", {"metric": "events", "interval": "day"}, answers.points),
    Asked("timeseries_views", "/timeseries", {"metric": "views", "interval": "day"}, answers.points),
    Asked("timeseries_hours", "/timeseries", {"metric": "views", "interval": "hour"}, answers.hours),
    Asked("timeseries_users", "/timeseries", {"metric": "users", "interval": "day"}, answers.user_points),
    Asked("breakdown_paths", "/breakdown", {"dimension": "path"}, answers.paths),
    Asked("breakdown_event_types", "/breakdown", {"dimension": "event_type", "metrics": "events,users"}, answers.types),
    Asked(
        "unique_users",
        "/breakdown",
        {"dimension": "event_type", "metrics": "events,users", "limit": 1},
        answers.all_users,
    ),
    Asked("retention", "/retention", {"interval": "day", "periods": 30}, answers.returns),
    Asked("funnel", "/funnel", FUNNEL, answers.funnel),
    Asked("sessions", "/sessions", {}, answers.sessions),
    Asked("journeys", "/journeys", {"path": "/products/0"}, answers.journeys, only=("DuckDB",)),
    # The tables of the others have no properties, and the baseline's has serial numbers for ids.
    Asked("revenue", "/revenue", {}, answers.revenue, only=("DuckDB",)),
    Asked("events", "/events", {"limit": 100}, answers.events, only=("DuckDB",)),
    Asked("user", "/users/{user}", {}, answers.user),
    Asked("sites", "/sites", {}, answers.sites, "ever"),
    Asked("live", "/live", {}, lambda _: [], "now", only=()),
]
