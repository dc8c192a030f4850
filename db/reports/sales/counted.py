"""What reports of sales have in common: which orders and refunds they count, and how they show money."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from db.reports.revenue import is_usual
from db.reports.shared.sale_figures import NUMBER

#: A number that may be below zero, as text.
SIGNED = NUMBER.replace("^", "^-?")

Revenue = Annotated[str, Meta(description="Of the orders; refunds are not taken off.", pattern=NUMBER)]
Net = Annotated[str, Meta(description="`revenue` less `refunded`.", pattern=SIGNED, examples=["109.9"])]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders and refunds count."""

    orders: Sequence[str]
    """The event types of orders."""
    refunds: Sequence[str]
    currency: str | None = None
    """Only those in this currency; None: all."""

    def parameters(self) -> dict[str, Any]:
        """What their queries need."""
        return {
            "order_types": list(self.orders),
            "refund_types": list(self.refunds),
            "usual": is_usual(self.orders, self.refunds),
            "currency": self.currency,
        }
