"""Misreadings that the first rows of a table make certain: they are refused before anything is sent.

The id of an event does not depend on the options, so that rows which are read rightly later would not replace it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain, islice

from apps.importing.files.records import Fields, Record, Refused, Skipped, Unusable
from apps.importing.rows.decimals import Evidence, evidence
from apps.importing.rows.row_events import RowEvents
from apps.importing.rows.sales import is_sale, read_sale
from apps.importing.sources import Source
from db.reports.revenue import REFUNDS

#: How many rows are looked at.
ROWS = 500
#: Seconds since 1970 of the years 2000 to 2099. As milliseconds they are days of 1970.
SECONDS = range(int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()))


def refuse_misreadings(source: Source, *, sending: bool) -> Source:
    """The same source, whose first rows were looked at. Raises Unusable.

    sending: whether what is read is sent; otherwise amounts are only judged at the end.
    """
    if source.probe is None:
        return source
    first = list(islice(source.records, ROWS))
    events = _events(source.probe, first)
    if fault := _seconds(events) or (_amounts(events, source.probe) if sending else None):
        raise Unusable(f"{source.lines.name}: {fault}; nothing was sent")
    return source._replace(records=chain(first, source.records))


def _events(probe: RowEvents, records: Sequence[Record]) -> list[Fields]:
    events = []
    for record in records:
        try:
            if not record.fault:
                events.append(probe.event(record.values))
        except (Refused, Skipped):
            continue  # which is told at the end
    return events


def _seconds(events: Sequence[Fields]) -> str | None:
    """Why the times are seconds and are read as milliseconds, if they are."""
    times = [event["timestamp"] for event in events]
    if times and all(isinstance(time, int) and time in SECONDS for time in times):
        return f"all {len(times):,} times at its beginning would be in 1970: they are seconds, --time-unit s reads them"
    return None


def _amounts(events: Sequence[Fields], probe: RowEvents) -> str | None:
    """Why no amount can be read, if each is written with another separator than numbers have."""
    if probe.decimal is not None:
        return None
    sales = [
        read_sale(event.get("properties") or {}, is_refund=event["event_type"] in REFUNDS)
        for event in events
        if is_sale(event["event_type"])
    ]
    given = [sale for sale in sales if sale.amount_given is not None]
    unread = [sale.amount_given for sale in given if sale.amount is None and isinstance(sale.amount_given, str)]
    known = {found for text in unread if (found := evidence(text)) in (Evidence.COMMA, Evidence.POINT)}
    if not unread or len(unread) != len(given) or len(known) != 1:
        return None
    (found,) = known
    return (
        f"no amount of its orders can be read as it stands, such as {unread[0]!r}: --decimal {found.value} reads them"
    )
