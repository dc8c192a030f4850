"""From our JSON to the rows that the SQL of the benchmark's questions answers; days without anything are in neither."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.benchmarks.reports.engines import Rows


def stats(answer: Any) -> Rows:
    totals = [("views", answer["total_views"]), ("users", answer["unique_users"])]
    return totals + [(top["path"], top["views"]) for top in answer["top_paths"]]


def points(answer: Any) -> Rows:
    return [(point["at"][:10], point["value"]) for point in answer["points"] if point["value"]]


def hours(answer: Any) -> Rows:
    return [(micros(point["at"]), point["value"]) for point in answer["points"] if point["value"]]


def user_points(answer: Any) -> Rows:
    found = [(point["at"][:10], point["value"], point["anonymous"]) for point in answer["points"]]
    return [row for row in found if any(row[1:])]


def paths(answer: Any) -> Rows:
    return [(row["value"], row["events"]) for row in answer["rows"]]


def types(answer: Any) -> Rows:
    return [(row["value"], row["events"], row["users"], row["anonymous"]) for row in answer["rows"]]


def all_users(answer: Any) -> Rows:
    return [(answer["total"]["users"], answer["total"]["anonymous"])]


def returns(answer: Any) -> Rows:
    return [
        (cohort["cohort"], period, users)
        for cohort in answer["cohorts"]
        for period, users in enumerate(cohort["values"])
        if users
    ]


def funnel(answer: Any) -> Rows:
    steps = enumerate(answer["steps"], start=1)
    return [(number, step["users"], step["median_seconds"], step["anonymous"]) for number, step in steps]


def sessions(answer: Any) -> Rows:
    names = ("sessions", "users", "bounces", "views", "average_seconds", "median_seconds", "anonymous")
    found = [(name, float(answer["summary"][name])) for name in names]
    found += [(f"in {page['path']}", float(page["sessions"])) for page in answer["entry_pages"]]
    return found + [(f"out {page['path']}", float(page["sessions"])) for page in answer["exit_pages"]]


def journeys(answer: Any) -> Rows:
    found = [("all", answer["sessions"], answer["users"]), ("anonymous", answer["anonymous"], 0)]
    return found + [(" > ".join(one["pages"]), one["sessions"], one["users"]) for one in answer["journeys"]]


def revenue(answer: Any) -> Rows:
    found: Rows = [
        ("orders", one["currency"], one["orders"], Decimal(one["revenue"]), float(one["average_order_value"]))
        for one in answer["currencies"]
    ]
    found += [
        (one["product"], one["currency"], one["orders"], Decimal(one["revenue"]), Decimal(one["quantity"]))
        for one in answer["products"]
    ]
    return [*found, ("repeated", "", answer["repeated"], 0, 0)]


def events(answer: Any) -> Rows:
    return [
        (number, one["event_id"], one["event_type"], one["path"], one["user_id"], micros(one["event_time"]))
        for number, one in enumerate(answer["events"], start=1)
    ]


def user(answer: Any) -> Rows:
    ever = answer["ever"]
    seen = micros(ever["first_seen"]), micros(ever["last_seen"])
    return [(event_type, count, *seen) for event_type, count in ever["by_type"].items()]


def sites(answer: Any) -> Rows:
    return [
        (
            *(site[name] for name in ("site_id", "events", "users", "anonymous")),
            micros(site["first_event"]),
            micros(site["last_event"]),
        )
        for site in answer["sites"]
    ]


def micros(time: str) -> int:
    """Microseconds since 1970."""
    return (datetime.fromisoformat(time) - datetime.fromisoformat("1970-01-01T00:00Z")) // timedelta(microseconds=1)
