"""The parameters of reports about sales: which event types are orders, and which are refunds."""

from typing import Annotated

import msgspec
from msgspec import Meta

from apps.reports.shared.query import ReportQuery
from db.events.errors import BadParameter
from db.events.event import EventType
from db.reports.revenue import ORDERS, REFUNDS


class SalesQuery(ReportQuery, kw_only=True):
    """Which site, which time, and which of its events are orders and refunds."""

    event_type: Annotated[
        list[EventType],
        Meta(description=f"Which event types are orders; may be repeated; left out: {', '.join(ORDERS)}."),
    ] = msgspec.field(default_factory=list)
    refund_type: Annotated[
        list[EventType],
        Meta(description=f"Which event types are refunds; may be repeated; left out: {', '.join(REFUNDS)}."),
    ] = msgspec.field(default_factory=list)

    def orders(self) -> list[str]:
        """The event types that are orders."""
        return self.event_type or list(ORDERS)

    def refunds(self) -> list[str]:
        """The event types that are refunds."""
        return self.refund_type or list(REFUNDS)

    def check(self, media_type: str) -> None:
        """Raise BadParameter for an event type that is both."""
        if both := [name for name in self.refunds() if name in self.orders()]:
            raise BadParameter("refund_type", f"{both[0]!r} is an order already")
