"""The import pipeline: records of a source become events, events become batches, batches are delivered."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from apps.events.responses import Rejected
from apps.importing.files.records import Fields, Record, Refused, Skipped
from apps.importing.rows.event_ids import EventIds
from apps.importing.sources import Source
from apps.importing.summary import Summary
from db.events.errors import FieldError

#: Events and bytes from which a request is sent; the API's limits are 1,000 and 5 MiB.
BATCH_EVENTS, BATCH_BYTES = 500, 4 * 1024 * 1024
#: Largest event as JSON, in bytes; in a larger one a field must be over its limit.
EVENT_BYTES = 64 * 1024
#: Rows between two updates of the progress, including rows that are not sent.
WATCH_ROWS = 500

#: Takes the events of a batch (one JSON object each) and returns those that the API refuses.
Deliver = Callable[[Sequence[bytes]], Sequence[Rejected]]


class Row(NamedTuple):
    """A row that became an event."""

    line: int
    event: bytes
    fields: Fields


def import_source(
    source: Source,
    *,
    site: str,
    tally: Summary,
    deliver: Deliver,
    watch: Callable[[], None],
    import_id: str | None = None,
) -> None:
    """Deliver the events of a source and count them in `tally`; call `watch` regularly to update the progress.

    The events get `import_id` as a property, by which new ones are counted and an undo finds them.

    Raises what `deliver` raises.
    """
    file = source.lines.name
    if source.amounts:
        tally.judgement.amount_columns.append(source.amounts)
    for batch in _batches(_rows(source, site, tally, watch, import_id)):
        rejected = deliver([row.event for row in batch])
        tally.sent += len(batch) - len(rejected)
        bad = {one.index for one in rejected}
        for index, row in enumerate(batch):
            if index not in bad:
                tally.judgement.add(row.fields)
        for one in rejected:
            tally.refused.add(_reason(one.errors), file, batch[one.index].line)
    watch()


def _rows(source: Source, site: str, tally: Summary, watch: Callable[[], None], import_id: str | None) -> Iterator[Row]:
    file = source.lines.name
    ids = EventIds(site)
    for record in source.records:
        tally.read += 1
        source.lines.rows += 1
        if tally.read % WATCH_ROWS == 0:
            watch()
        try:
            yield Row(record.line, *_event(source, record, ids, import_id))
        except Skipped as reason:
            tally.skipped.add(str(reason), file, record.line)
        except Refused as reason:
            tally.refused.add(str(reason), file, record.line, reason.value)


def _event(source: Source, record: Record, ids: EventIds, import_id: str | None) -> tuple[bytes, Fields]:
    if record.fault:
        raise Refused(record.fault)
    # Before any row is filtered out: ids must not depend on the options.
    event_id = ids.next(record.content)
    event = source.event(record.values)
    event.setdefault("event_id", event_id)
    if import_id:
        event["properties"] = {**event.get("properties", {}), "import_id": import_id}
    encoded = msgspec.json.encode(event)
    if len(encoded) > EVENT_BYTES:
        raise Refused(f"the event would have more than {EVENT_BYTES:,} bytes")
    return encoded, event


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.event) + 1  # with a comma
        if len(batch) == BATCH_EVENTS or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _reason(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{error.field} {error.reason}".strip() for error in errors)
