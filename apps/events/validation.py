"""Decode and validate a request body, and give each event its id and its time."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from operator import attrgetter

import msgspec

from actors.queue.producer import SiteDay
from apps.events.responses import MAX_IGNORED, BatchAccepted, Ignored, Rejected, no_event_is_valid
from apps.events.salvage import LONG_TIME, mend, unknown_fields, with_cut_time
from apps.web.problems import refuse
from apps.web.slices import Slices
from db.events.errors import FieldError, field_errors
from db.events.event import Event, ExactEvent, ReceivedEvent, TimeWindow, receive
from db.events.numbers import decoder
from db.events.tolerant_json import UNREADABLE, take_apart
from db.settings import Settings

#: Largest number of events in a request.
MAX_BATCH = 1_000

encode = msgspec.json.Encoder().encode


#: A valid event, and the names of its ignored parts.
Validated = tuple[ReceivedEvent, Sequence[str]]


class EventValidator:
    """Turns request bodies into events that can be stored, within the limits of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.window = TimeWindow(
            not_before=datetime.combine(settings.events_not_before, datetime.min.time(), UTC),
            ahead=timedelta(hours=settings.events_ahead_hours),
            back=timedelta(days=settings.retention_days) if settings.retention_days else None,
        )
        self.decode = decoder(Event).decode
        exact = decoder(ExactEvent)
        self.decode_exact = exact.decode
        self.decode_lines = exact.decode_lines
        self.decode_list = decoder(list[ExactEvent]).decode

    def event(self, body: bytes) -> Validated:
        """The event in a body. Raises Refusal (400) that names each invalid field."""
        try:
            return self._validate(body, datetime.now(UTC))
        except BadEvent as bad:
            raise refuse(HTTPStatus.BAD_REQUEST, "the event is not valid", errors=bad.errors) from None

    def batch(self, body: bytes, *, ndjson: bool) -> "Batch":
        """The events in a body: a JSON array, an object with that array as `events`, or one JSON object per line.

        Raises Refusal: 400 if the format is another or no event is valid, 413 if there are too many events.
        """
        batch, parts = self._begun(body, ndjson=ndjson)
        for index, part in enumerate(parts):
            self._take(batch, index, part)
        return _with_events(batch)

    async def batch_in_slices(self, body: bytes, *, ndjson: bool) -> "Batch":
        """As `batch`, but other requests get a turn between events that take long."""
        batch, parts = self._begun(body, ndjson=ndjson)
        slices = Slices()
        for index, part in enumerate(parts):
            self._take(batch, index, part)
            await slices.pause()
        return _with_events(batch)

    def _begun(self, body: bytes, *, ndjson: bool) -> tuple["Batch", Sequence[bytes | msgspec.Raw]]:
        """The batch, and the parts of the body that have to be taken into it one by one."""
        now = datetime.now(UTC)
        exact = self._exact_batch(body, now, ndjson=ndjson)
        return (Batch(now), _parts(body, ndjson=ndjson)) if exact is None else (exact, ())

    def _exact_batch(self, body: bytes, now: datetime, *, ndjson: bool) -> "Batch | None":
        """The batch, decoded as a whole, which costs less than one by one; None if that is not possible."""
        if LONG_TIME.search(body):
            return None
        try:
            events = self.decode_lines(body) if ndjson else self.decode_list(body)
            received = [receive(event, now=now, window=self.window) for event in events]
        except UNREADABLE:
            return None
        if not 0 < len(received) <= MAX_BATCH:
            return None
        batch = Batch(now)
        for event in received:
            batch.add(event)
        return batch

    def _take(self, batch: "Batch", index: int, part: bytes | msgspec.Raw) -> None:
        """Decode an event by itself, so that a bad one does not affect the others."""
        try:
            event, ignored = self._validate(part, batch.now)
        except BadEvent as bad:
            batch.reject(index, bad.errors)
            return
        batch.add(event)
        if ignored:
            batch.add_ignored(index, ignored)

    def _validate(self, raw: bytes | msgspec.Raw, now: datetime) -> Validated:
        """The event in a piece of JSON; the slower, tolerant decoder is for inexact ones only. Raises BadEvent."""
        if LONG_TIME.search(bytes(raw)):
            raw = with_cut_time(raw)
        try:
            return receive(self.decode_exact(raw), now=now, window=self.window), ()
        except UNREADABLE:
            return self._validate_tolerantly(raw, now)

    def _validate_tolerantly(self, raw: bytes | msgspec.Raw, now: datetime) -> Validated:
        with suppress(*UNREADABLE):
            return receive(self.decode(raw), now=now, window=self.window), unknown_fields(raw)
        try:
            mended = mend(raw)
        except UNREADABLE:
            raise BadEvent(field_errors(raw, now=now, window=self.window)) from None
        try:
            event = receive(msgspec.convert(mended.fields, Event), now=now, window=self.window)
        except UNREADABLE:
            raise BadEvent(field_errors(encode(mended.fields), now=now, window=self.window)) from None
        return event, mended.ignored


class BadEvent(Exception):
    """An event is not valid, for these reasons."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(errors)
        self.errors = errors


class Batch:
    """The outcome of a batch: accepted events and rejected ones."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.day = now.date().isoformat()
        self.counts: dict[SiteDay, int] = {}
        self.accepted: list[ReceivedEvent] = []
        self.rejected: list[Rejected] = []
        self.ignored: list[Ignored] = []
        self.event_ids: list[str | None] = []

    def add(self, event: ReceivedEvent) -> None:
        site_day = event.site_id, self.day
        self.counts[site_day] = self.counts.get(site_day, 0) + 1
        self.accepted.append(event)
        self.event_ids.append(event.event_id)

    def add_ignored(self, index: int, ignored: Sequence[str]) -> None:
        if len(self.ignored) < MAX_IGNORED:
            self.ignored.append(Ignored(index=index, fields=list(ignored)))

    def reject(self, index: int, errors: list[FieldError]) -> None:
        self.rejected.append(Rejected(index=index, errors=errors))
        self.event_ids.append(None)

    def exclude(self, reasons: Mapping[int, list[FieldError]]) -> None:
        """Reject accepted events after all, by their numbers among these. Raises Refusal (400) if none is left."""
        places = [place for place, event_id in enumerate(self.event_ids) if event_id is not None]
        excluded = {places[number]: errors for number, errors in reasons.items()}
        for number in reasons:
            site_day = self.accepted[number].site_id, self.day
            self.counts[site_day] -= 1
            self.event_ids[places[number]] = None
        self.counts = {site_day: events for site_day, events in self.counts.items() if events}
        self.accepted = [event for number, event in enumerate(self.accepted) if number not in reasons]
        self.ignored = [one for one in self.ignored if one.index not in excluded]
        self.rejected += [Rejected(index=place, errors=errors) for place, errors in excluded.items()]
        self.rejected.sort(key=attrgetter("index"))
        if not self.accepted:
            raise no_event_is_valid(self.rejected)

    def events(self) -> bytes:
        """The accepted events: JSON objects joined by commas."""
        return encode(self.accepted)[1:-1]

    def answer(self, *, ids: bool) -> BatchAccepted:
        return BatchAccepted(
            accepted=len(self.accepted),
            rejected=self.rejected,
            event_ids=self.event_ids if ids else msgspec.UNSET,
            ignored_fields=self.ignored or msgspec.UNSET,
        )


def _with_events(batch: Batch) -> Batch:
    if not batch.accepted:
        raise no_event_is_valid(batch.rejected)
    return batch


class _Envelope(msgspec.Struct):
    events: msgspec.Raw


def _parts(body: bytes, *, ndjson: bool) -> Sequence[bytes | msgspec.Raw]:
    parts = _lines(body) if ndjson else _elements(body)
    if not parts:
        raise refuse(HTTPStatus.BAD_REQUEST, "the batch is empty: it should hold at least one event")
    if len(parts) > MAX_BATCH:
        raise refuse(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"a batch may hold {MAX_BATCH:,} events; this one has {len(parts):,}",
        )
    return parts


def _elements(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    try:
        if body.lstrip()[:1] == b"{":
            return take_apart(take_apart(body, _Envelope).events, list[msgspec.Raw])
        return take_apart(body, list[msgspec.Raw])
    except UNREADABLE as error:
        raise refuse(
            HTTPStatus.BAD_REQUEST,
            f'the batch should be a JSON array of events or {{"events": [...]}}: {error}',
        ) from None


def _lines(body: bytes) -> Sequence[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]
