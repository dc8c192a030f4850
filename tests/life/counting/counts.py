"""Counting in plain Python what the reports answer: the naive side of each comparison."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from db.events.event import ReceivedEvent
from tests.oracles.naive import bucket

Events = Sequence[ReceivedEvent]
Matches = Callable[[ReceivedEvent], bool]

#: Filters as they are asked for, and the same in Python.
FILTERS: dict[str, Matches] = {
    "event_type:is_not:click": lambda one: one.event_type != "click",
    "event_type:is:page_view|purchase": lambda one: one.event_type in ("page_view", "purchase"),
    "path:is:/products/*|/a": lambda one: one.path.startswith("/products/") or one.path == "/a",
    "path:contains_not:.b": lambda one: ".b" not in one.path,
    "user_id:is_not:user-001|user-002": lambda one: one.user_id not in ("user-001", "user-002"),
    "user_id:is:user-001": lambda one: one.user_id == "user-001",
    "visitor_id:is:visitor-00|visitor-01": lambda one: one.visitor_id in ("visitor-00", "visitor-01"),
    "visitor_id:is_not:visitor-02": lambda one: one.visitor_id != "visitor-02",
    "properties.plan:is_not:free": lambda one: (one.properties or {}).get("plan") != "free",
    "properties.seats:lt:10": lambda one: (one.properties or {}).get("seats", 10) < 10,
    "properties.deep.a:is:y": lambda one: "y" in (one.properties or {}).get("deep", {}).get("a", []),
}


def midnight(day: date, timezone: str) -> datetime:
    """When a day begins at a place, in UTC; of two midnights the first."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def local_day(moment: datetime, timezone: str) -> date:
    """The day that a moment is on, at a place."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def at(moment: datetime, interval: str, timezone: str) -> datetime:
    """The begin of the bucket that a moment is in, in UTC."""
    return bucket(moment, interval, timezone).astimezone(UTC)


def named(events: Events) -> int:
    """How many different users they have."""
    return len({one.user_id for one in events if one.user_id})


def anonymous(events: Events) -> int:
    """How many of them name no user."""
    return sum(one.user_id is None for one in events)


def views(events: Iterable[ReceivedEvent]) -> list[ReceivedEvent]:
    """Those that are views."""
    return [one for one in events if one.event_type == "page_view"]


def top(counted: Counter[str], limit: int) -> list[tuple[str, int]]:
    """The values with most, equals by name, byte by byte."""
    return sorted(counted.items(), key=lambda one: (-one[1], one[0].encode()))[:limit]


def value(event: ReceivedEvent, dimension: str) -> str | None:
    """The event's value of a dimension, as text."""
    if not dimension.startswith("properties."):
        found: str | None = getattr(event, dimension)
        return found
    value = (event.properties or {}).get(dimension.removeprefix("properties."))
    return None if value is None else str(value)


def series(events: Events, metric: str, interval: str, timezone: str) -> dict[datetime, tuple[int, int | None]]:
    """The points of a timeseries that have anything: value, and with users the anonymous events."""
    buckets = defaultdict(list)
    for one in events:
        buckets[at(one.timestamp, interval, timezone)].append(one)
    if metric == "users":
        return {moment: (named(found), anonymous(found)) for moment, found in buckets.items()}
    return {moment: (len(found), None) for moment, found in buckets.items()}


def sessions(by_user: dict[str, list[ReceivedEvent]], start: datetime, end: datetime, matches: Matches) -> list[Events]:
    """The sessions that begin in a range: a user's matching events up to 30 minutes of silence."""
    found: list[list[ReceivedEvent]] = []
    for events in by_user.values():
        session: list[ReceivedEvent] = []
        for one in filter(matches, events):
            if session and one.timestamp - session[-1].timestamp >= timedelta(minutes=30):
                found.append(session)
                session = []
            session.append(one)
        if session:
            found.append(session)
    return [session for session in found if start <= session[0].timestamp < end]


def durations(found: Sequence[Events]) -> tuple[float | None, float | None]:
    """The mean and the median length of sessions, in seconds."""
    lengths = [(session[-1].timestamp - session[0].timestamp).total_seconds() for session in found]
    return (statistics.fmean(lengths), statistics.median(lengths)) if lengths else (None, None)


def journeys(found: Sequence[Events], path: str, direction: str, steps: int) -> dict[tuple[str, ...], list[str]]:
    """The users of each sequence of pages from or to a page, once a session."""
    sequences = defaultdict(list)
    for session in found:
        pages = [page for page, _ in groupby(one.path for one in views(session))]
        if path in pages:
            place = pages.index(path)
            cut = pages[place : place + steps + 1] if direction == "from" else pages[: place + 1][-steps - 1 :]
            sequences[tuple(cut)].append(session[0].user_id or "")
    return dict(sequences)


def funnel(
    by_user: dict[str, list[ReceivedEvent]], steps: Sequence[Matches], start: datetime, end: datetime, window: timedelta
) -> list[list[float]]:
    """For each step the seconds that it took each user who came so far, from the step before (of the first: zeros).

    A way into a step is known by when it began; of those that are at a step, the one that began last reaches furthest.
    """
    took: list[list[float]] = [[] for _ in steps]
    for events in by_user.values():
        if not any(steps[0](one) and start <= one.timestamp < end for one in events):
            continue
        began: list[datetime | None] = [None] * len(steps)
        came: list[datetime | None] = [None] * len(steps)
        first: list[float | None] = [None] * len(steps)
        for moment, group in groupby(events, key=lambda one: one.timestamp):
            now = list(group)
            for number in reversed(range(len(steps))):  # so that no moment is two steps of a way
                if not any(map(steps[number], now)):
                    continue
                if number == 0:
                    if start <= moment < end:
                        began[0], came[0], first[0] = moment, moment, 0.0
                    continue
                earlier, before = began[number - 1], came[number - 1]
                if earlier is not None and before is not None and moment - earlier <= window:
                    if first[number] is None:
                        first[number] = (moment - before).total_seconds()
                    began[number], came[number] = earlier, moment
        for number, seconds in enumerate(first):
            if seconds is not None:
                took[number].append(seconds)
    return took


def number(given: Any) -> Decimal | None:
    """The number that a property is, or the text of one."""
    try:
        return None if given is None or isinstance(given, bool) else Decimal(str(given))
    except InvalidOperation:
        return None


def currency(given: Any) -> str | None:
    """The currency that a property is."""
    text = given.strip(" ") if isinstance(given, str) else ""
    return text.upper() if len(text) == 3 and text.isascii() and text.isalpha() else None


def sales(events: Events, repeating: Events) -> tuple[dict[str, list[Any]], int, int, dict[tuple[str, str], list[Any]]]:
    """By currency orders, revenue, refunds and refunded; how many were repeated, and ignored; and the products.

    repeating: all events of the site up to the end of the range, in which an order may have come before.
    """
    firsts: dict[str, ReceivedEvent] = {}
    for one in sorted(repeating, key=lambda one: (one.timestamp, one.event_id)):
        if one.event_type == "purchase" and _fault(one) is None and (order := _order(one)):
            firsts.setdefault(order, one)
    totals: dict[str, list[Any]] = defaultdict(lambda: [0, Decimal(), 0, Decimal()])
    products: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, Decimal(), Decimal()])
    repeated = ignored = 0
    for one in events:
        if one.event_type not in ("purchase", "refund"):
            continue
        if fault := _fault(one):
            ignored += bool(fault)
            continue
        order = _order(one)
        if one.event_type == "purchase" and order and firsts[order] is not one:
            repeated += 1
            continue
        properties = one.properties or {}
        code, amount = currency(properties.get("currency")) or "", number(properties.get("revenue")) or Decimal()
        place = 2 if one.event_type == "refund" else 0
        totals[code][place] += 1
        totals[code][place + 1] += abs(amount)
        if one.event_type == "purchase":
            _add_products(products, code, properties.get("products") or [])
    return dict(totals), repeated, ignored, dict(products)


def _order(event: ReceivedEvent) -> str:
    return str((event.properties or {}).get("order_id") or "")


def _fault(event: ReceivedEvent) -> str | None:
    properties = event.properties or {}
    if properties.get("public_key") is True:
        return "public_key"
    amount = number(properties.get("revenue"))
    if amount is None or (amount < 0 and event.event_type == "purchase"):
        return "revenue"
    return None if currency(properties.get("currency")) else "currency"


def _add_products(products: dict[tuple[str, str], list[Any]], code: str, lines: list[dict[str, Any]]) -> None:
    of_order: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(), Decimal()])
    for line in lines:
        product = line.get("product_id") or line.get("name")
        price, quantity = number(line.get("price")), number(1 if line.get("quantity") is None else line["quantity"])
        if product and price is not None and price >= 0 and quantity is not None and quantity >= 0:
            of_order[product][0] += quantity
            of_order[product][1] += price * quantity
    for product, (quantity, revenue) in of_order.items():
        found = products[code, product]
        found[0] += 1
        found[1] += quantity
        found[2] += revenue
