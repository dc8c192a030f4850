"""Visits of persons counted in plain Python, from their events: what the reports of visits are compared with."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from db.events.event import ReceivedEvent
from db.reports.sales.products import CARTS, CHECKOUTS
from tests.db.reports.test_revenue_naive import judge
from tests.oracles import naive

AGENT = ("country", "device", "browser", "os", "language")


class Visit(NamedTuple):
    """A visit, and the amounts of the orders in it, by currency."""

    events: list[ReceivedEvent]
    new: bool
    orders: dict[str, list[Decimal]]

    def value(self, dimension: str) -> str:
        """What it has of a dimension; empty: nothing."""
        first = self.events[0]
        if dimension in ("landing", "exit"):
            return self.events[0 if dimension == "landing" else -1].path
        if dimension == "new":
            return str(self.new).lower()
        known: Any = first.agent if dimension in AGENT else first.origin
        found = getattr(known, dimension, None) or ""
        return "Direct" if dimension == "channel" and known is None else found


def visits(given: list[ReceivedEvent], start: datetime, end: datetime) -> list[Visit]:
    """The visits that begin in a range."""
    seen: set[str] = set()
    amounts: dict[str, tuple[str, Decimal]] = {}
    for one in sorted(given, key=lambda one: (one.timestamp, one.event_id)):
        if one.event_type == "purchase":
            outcome, currency = judge(one, seen)
            if outcome == "counted":
                amounts[one.event_id] = currency, Decimal(str((one.properties or {})["revenue"]))
    every = naive.sessions(given, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
    firsts: dict[str | None, datetime] = {}
    for events in every:
        user, begin = events[0].user_id, events[0].timestamp
        firsts[user] = min(begin, firsts.get(user, begin))
    found = []
    for events in every:
        orders = defaultdict(list)
        for one in events:
            if one.event_id in amounts:
                currency, amount = amounts[one.event_id]
                orders[currency].append(amount)
        found.append(Visit(events, firsts[events[0].user_id] == events[0].timestamp, dict(orders)))
    return [visit for visit in found if start <= visit.events[0].timestamp < end]


def figures(found: list[Visit], currency: str | None) -> dict[str, Any]:
    """The figures of some visits."""
    paid = [amount for visit in found for amount in visit.orders.get(currency or "", [])]
    return {
        "visits": len(found),
        "people": len({visit.events[0].user_id for visit in found}),
        "views": sum(one.event_type == "page_view" for visit in found for one in visit.events),
        "bounces": sum(len(visit.events) == 1 for visit in found),
        "carts": sum(one.event_type in CARTS for visit in found for one in visit.events),
        "checkouts": sum(one.event_type in CHECKOUTS for visit in found for one in visit.events),
        "orders": sum(len(amounts) for visit in found for amounts in visit.orders.values()),
        "revenue": sum(paid, Decimal(0)),
        "conversion": round(sum(bool(visit.orders) for visit in found) / len(found), 6) if found else None,
        "average_order": sum(paid, Decimal(0)) / len(paid) if paid else None,
    }


#: Filters, and the same in Python.
FILTERS: list[tuple[str, Callable[[Visit], bool]]] = [
    ("source:is:google", lambda visit: visit.value("source") == "google"),
    ("source:missing", lambda visit: not visit.value("source")),
    ("campaign:exists", lambda visit: bool(visit.value("campaign"))),
    ("campaign:contains:sale", lambda visit: "sale" in visit.value("campaign")),
    ("channel:is_not:Direct", lambda visit: visit.value("channel") != "Direct"),
    ("channel:is:Direct|Email", lambda visit: visit.value("channel") in ("Direct", "Email")),
    ("device:is_not:mobile", lambda visit: visit.value("device") != "mobile"),
    ("new:is:true", lambda visit: visit.new),
    ("landing:is:/products/*", lambda visit: visit.value("landing").startswith("/products/")),
    ("exit:is_not:/", lambda visit: visit.value("exit") != "/"),
]
