"""The parameters that reports of customers and products share."""

from typing import Annotated

from msgspec import Meta

from apps.reports.shared.sales_query import SalesQuery
from db.reports.sales.counted import Counted


class CountedQuery(SalesQuery, kw_only=True):
    """The same, and in which currency."""

    currency: (
        Annotated[
            str,
            Meta(
                pattern="^[A-Z]{3}$",
                description="Only orders and refunds in this currency (ISO 4217, in capitals); left out: all.",
            ),
        ]
        | None
    ) = None

    def counted(self) -> Counted:
        """Which orders and refunds count."""
        return Counted(orders=self.orders(), refunds=self.refunds(), currency=self.currency)
