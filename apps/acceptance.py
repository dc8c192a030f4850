"""What ingestion does with a body: decode it, check it, and give each event its id and its time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from actors.sender import SiteDay
from apps.problems import Problem, Refusal, refuse
from db.event import Event, ReceivedEvent, TimeWindow, receive
from db.event_errors import FieldError, field_errors, take_apart
from db.settings import Settings

#: Events that one request may carry.
MAX_BATCH = 1_000

#: What decoding raises: bad JSON, bad UTF-8 and bad values are ValueErrors, endless nesting is the other.
UNREADABLE = (ValueError, RecursionError)

encode = msgspec.json.Encoder().encode


class Accepted(msgspec.Struct, kw_only=True):
    """One event was queued."""

    status: Literal["queued"] = "queued"
    message: Annotated[str, Meta(examples=["Event received and queued for processing"])] = (
        "Event received and queued for processing"
    )
    event_id: Annotated[str, Meta(description="The client's, or the one made for it; sent again, it counts once.")]


class Rejected(msgspec.Struct, kw_only=True):
    """One event of a batch was refused; its neighbours were not."""

    index: Annotated[int, Meta(description="Its place in the batch, from 0.", examples=[7])]
    errors: Annotated[list[FieldError], Meta(description="Each field that is wrong.")]


class BatchAccepted(msgspec.Struct, kw_only=True):
    """At least one event of a batch was queued."""

    status: Literal["queued"] = "queued"
    accepted: Annotated[int, Meta(description="How many were queued.", examples=[498])]
    rejected: Annotated[list[Rejected], Meta(description="Those that were refused; all others were queued.")]
    event_ids: Annotated[
        list[str | None] | msgspec.UnsetType,
        Meta(description="With `?ids=true`: the ids in order, null where refused."),
    ] = msgspec.UNSET


class BatchProblem(Problem, kw_only=True, omit_defaults=True):
    """No event of a batch was accepted."""

    rejected: Annotated[
        list[Rejected],
        Meta(description="Each event and what is wrong with it; left out where the batch could not be read."),
    ] = msgspec.field(default_factory=list)


class Acceptance:
    """Turns bodies into events that can be stored, under the limits of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.window = TimeWindow(
            not_before=datetime.combine(settings.events_not_before, datetime.min.time(), UTC),
            ahead=timedelta(hours=settings.events_ahead_hours),
            back=timedelta(days=settings.retention_days) if settings.retention_days else None,
        )
        self.decode = msgspec.json.Decoder(Event).decode

    def event(self, body: bytes) -> ReceivedEvent:
        """The event in a body. Raises Refusal (400) that names each bad field."""
        now = datetime.now(UTC)
        try:
            return receive(self.decode(body), now=now, window=self.window)
        except UNREADABLE:
            errors = field_errors(body, now=now, window=self.window)
            raise refuse(HTTPStatus.BAD_REQUEST, "the event is not valid", errors=errors) from None

    def batch(self, body: bytes, *, ndjson: bool) -> "Batch":
        """The events in a body: a JSON array, an object with such an array as `events`, or a JSON object a line.

        Raises Refusal: 400 where it is none of these or no event in it is valid, 413 where it holds too many.
        """
        parts = _lines(body) if ndjson else _elements(body)
        if not parts:
            raise refuse(HTTPStatus.BAD_REQUEST, "the batch is empty: it should hold at least one event")
        if len(parts) > MAX_BATCH:
            raise refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a batch may hold {MAX_BATCH:,} events; this one has {len(parts):,}",
            )
        now = datetime.now(UTC)
        batch = Batch(now)
        for index, part in enumerate(parts):
            try:
                batch.add(receive(self.decode(part), now=now, window=self.window))
            except UNREADABLE:
                batch.reject(index, field_errors(part, now=now, window=self.window))
        if not batch.accepted:
            raise no_event_is_valid(batch.rejected)
        return batch


class Batch:
    """The outcome of a batch: what was accepted, ready for the queue, and what was not."""

    def __init__(self, now: datetime) -> None:
        self.day = now.date().isoformat()
        self.counts: dict[SiteDay, int] = {}
        self.accepted: list[bytes] = []
        self.rejected: list[Rejected] = []
        self.event_ids: list[str | None] = []

    def add(self, event: ReceivedEvent) -> None:
        site_day = event.site_id, self.day
        self.counts[site_day] = self.counts.get(site_day, 0) + 1
        self.accepted.append(encode(event))
        self.event_ids.append(event.event_id)

    def reject(self, index: int, errors: list[FieldError]) -> None:
        self.rejected.append(Rejected(index=index, errors=errors))
        self.event_ids.append(None)

    def answer(self, *, ids: bool) -> BatchAccepted:
        return BatchAccepted(
            accepted=len(self.accepted),
            rejected=self.rejected,
            event_ids=self.event_ids if ids else msgspec.UNSET,
        )


def no_event_is_valid(rejected: list[Rejected]) -> Refusal:
    """The Refusal of a batch of which nothing was accepted."""
    status = HTTPStatus.BAD_REQUEST
    detail = "no event of the batch is valid"
    return Refusal(BatchProblem(title=status.phrase, status=status, detail=detail, rejected=rejected))


class _Envelope(msgspec.Struct):
    events: list[msgspec.Raw]


def _elements(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    try:
        if body.lstrip()[:1] == b"{":
            return take_apart(body, _Envelope).events
        return take_apart(body, list[msgspec.Raw])
    except UNREADABLE as error:
        raise refuse(
            HTTPStatus.BAD_REQUEST,
            f'the batch should be a JSON array of events or {{"events": [...]}}: {error}',
        ) from None


def _lines(body: bytes) -> Sequence[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]
