"""What the reports will count of an import, and which options fix events that they will not count."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from apps.importing.files.records import Fields
from apps.importing.rows.decimals import AmountColumns, Evidence, evidence
from apps.importing.rows.sales import Sale, is_sale, read_sale
from apps.importing.rows.timestamps import ASSUMED_UTC
from db.events.event import event_time
from db.reports.revenue import ORDERS, REFUNDS

#: Number of event types in the summary.
TYPES = 5
CURRENCY = (
    "--set properties.currency=EUR sets it for all rows, --property currency=COLUMN names its column; or the site "
    "has one (tjra site set)"
)
FIXES = {
    "public_key": "the property of this name says so; it is removed if the events are sent with a key (--key)",
    "revenue_missing": "--property revenue=COLUMN names the column of an order's amount",
    "revenue_invalid": "an amount is a number such as 1234.50",
    "revenue_negative": "a refund is an event of the type refund",
    "currency_missing": CURRENCY,
    "currency_invalid": f"a currency is three letters; {CURRENCY}",
    "repeated": "an order_id counts once: make one row of each order, its lines a list in the property products",
}


class Judgement:
    """The valid events as the reports will count them."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self.anonymous = 0
        self.first_time: datetime | None = None
        self.last_time: datetime | None = None
        self.without_offset = 0
        self.bots = 0
        self.with_amount = 0
        self.amounts: dict[tuple[str, str], Decimal] = {}
        self.counted: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.amount_columns: list[AmountColumns] = []
        self.separators: set[Evidence] = set()  # of the amounts that are not counted
        self.orders: set[int] = set()  # hashes, as there may be millions

    def add(self, event: Fields) -> None:
        """Count a valid event."""
        properties = event.get("properties") or {}
        self.types[event["event_type"]] += 1
        time = event_time(event["timestamp"])
        self.without_offset += time.tzinfo is ASSUMED_UTC
        self.first_time = min(self.first_time or time, time)
        self.last_time = max(self.last_time or time, time)
        self.anonymous += "user_id" not in event and "visitor_id" not in event
        self.bots += properties.get("bot") is True
        if is_sale(event["event_type"]):
            is_refund = event["event_type"] in REFUNDS
            self._add_sale("refund" if is_refund else "order", read_sale(properties, is_refund=is_refund))
        else:
            self.with_amount += "revenue" in properties or "total" in properties

    def _add_sale(self, what: str, sale: Sale) -> None:
        fault = sale.fault
        if fault is None and what == "order" and sale.order_id is not None:
            key = hash(sale.order_id)
            fault = "repeated" if key in self.orders else None
            self.orders.add(key)
        if fault:
            self.faults[fault] += 1
            if fault == "revenue_invalid":
                self.examples.setdefault(fault, repr(sale.amount_given)[:40])
                if isinstance(text := sale.amount_given, str):
                    self.separators.add(evidence(text))
            return
        self.counted[what] += 1
        key_of_sum = what, sale.currency or ""
        self.amounts[key_of_sum] = self.amounts.get(key_of_sum, Decimal()) + (sale.amount or 0)

    def lines(self) -> Iterator[str]:
        """The lines of the summary; none if there was no event."""
        events = self.types.total()
        if not events:
            return
        yield "what the reports will count, if all events are new:"
        yield from self._views(events)
        yield from self._sessions(events)
        yield from self._revenue()
        for line in AmountColumns(None).with_all(self.amount_columns).lines():
            yield f"             {line}"
        if self.without_offset:
            yield f"  {self.without_offset:,} times have no offset and are read as UTC: --timezone changes that"
        if self.bots:
            yield f"  {self.bots:,} events are marked as bots' (--bots drop leaves them out)"

    def _views(self, events: int) -> Iterator[str]:
        views = self.types["page_view"]
        yield f"  /stats     {views:,} views, of {events:,} events"
        if not views:
            names = ", ".join(f"{name} ({count:,})" for name, count in self.types.most_common(TYPES))
            yield f"             only page_view is a view; --rename-type OLD=page_view; here there are: {names}"

    def _sessions(self, events: int) -> Iterator[str]:
        yield f"  /sessions  {events - self.anonymous:,} events of users or visitors"
        if self.anonymous:
            yield f"             {self.anonymous:,} have none: --column user_id=COLUMN names its column"

    def _revenue(self) -> Iterator[str]:
        sums = [f"{currency} {amount:,f} ({what}s)" for (what, currency), amount in sorted(self.amounts.items())]
        counts = f"{self.counted['order']:,} orders, {self.counted['refund']:,} refunds"
        yield f"  /revenue   {counts}" + (f": {', '.join(sums)}" if sums else "")
        for fault, count in self.faults.most_common():
            example = f", such as {self.examples[fault]}" if fault in self.examples else ""
            fix = self._fix_of_amounts() if fault == "revenue_invalid" else FIXES[fault]
            yield f"             {count:,} not counted, {fault}{example}: {fix}"
        if self.with_amount and not self.counted and not self.faults:
            yield f"             no type is an order's ({', '.join(sorted(ORDERS))}): --rename-type OLD=purchase"

    def _fix_of_amounts(self) -> str:
        """The option that reads them; where it is not clear which, the line about their column asks."""
        for known in (Evidence.COMMA, Evidence.POINT):
            if known in self.separators:
                return f"--decimal {known.value} reads it"
        return "see --decimal" if Evidence.EITHER in self.separators else FIXES["revenue_invalid"]
