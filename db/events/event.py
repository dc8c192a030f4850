"""The event: one Struct for the API, the queue and the store."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
import uuid_utils
from msgspec import Meta
from uuid_utils import uuid7

from db.events.ids import FIRST_WITHOUT_KEY, VARIANT, id_without_key
from db.events.known import CameFrom, SentWith
from db.events.limits import MAX_BYTES, properties_fault, text_fault
from db.events.spellings import ENDS_OF_NOBODIES, is_nobody, usual_type

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_USER = MAX_BYTES["user_id"]
LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999

SiteId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="The shop: text of 1 to 255 bytes (UTF-8) without U+0000.",
        examples=["shop"],
    ),
]
EventType = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="What happened: text of 1 to 100 bytes (UTF-8) without U+0000. `page_view` counts as a view; other "
        "spellings of it become it: `pageview`, `Page View`, `page_viewed`, `$pageview`, `page`.",
        examples=["page_view"],
    ),
]
EventPath = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2_048,
        description="Where it happened: text of 1 to 2,048 bytes (UTF-8) without U+0000.",
        examples=["/products/lamp"],
    ),
]
UserId = (
    Annotated[
        str,
        Meta(
            description="Who it was: text of at most 255 bytes (UTF-8), or a whole number, which is taken as its text. "
            "Left out, null, blank, or a placeholder for an unknown user (`null`, `undefined`, `NaN`, `None`, "
            "`\\N`, `0`, `anonymous`, `[object Object]` and the like): an anonymous event.",
            examples=["customer-17"],
        ),
    ]
    | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, examples=[17])]
)
VisitorId = (
    Annotated[
        str,
        Meta(
            description="From which browser or device it came: text of at most 255 bytes (UTF-8), or an integer. Its "
            "events count for the user that it was first sent with, those before that too; until then the visitor "
            "counts as a user. Blank or a placeholder: none.",
            examples=["f0b3a1c2-visitor"],
        ),
    ]
    | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, examples=[17])]
)
Timestamp = (
    Annotated[
        datetime,
        Meta(
            tz=True,
            description="When it happened: ISO 8601 with an offset, or milliseconds since 1970-01-01T00:00:00Z; "
            "left out: the time of arrival.",
            examples=["2026-01-02T03:04:05.678Z"],
        ),
    ]
    | Annotated[int, Meta(ge=0, le=LAST_MILLISECOND, examples=[1767323045678])]
)
EventId = Annotated[
    UUID,
    Meta(
        description="A UUID that the client makes, so that an event sent twice is counted once; left out: the server "
        "makes one. Without `timestamp` it must be a UUIDv7, whose time is then the event's.",
        examples=["019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"],
    ),
]
Properties = Annotated[
    dict[str, Any],
    Meta(
        description="Whatever else is known: a JSON object of at most 32 KiB, 8 levels and 1,000 keys, without U+0000.",
        examples=[{"revenue": 119.9, "currency": "EUR"}],
    ),
]


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What a client sends. Fields that are not listed here are ignored."""

    site_id: SiteId
    event_type: EventType
    path: EventPath
    user_id: UserId | None = None
    timestamp: Timestamp | None = None
    event_id: EventId | None = None
    properties: Properties | None = None
    visitor_id: VisitorId | None = None
    agent: SentWith = None
    origin: CameFrom = None

    def __post_init__(self) -> None:
        # Every event comes through here: what most do not have costs them a look only.
        user_id: Any = self.user_id
        if user_id is None:
            user_id = ""
        elif user_id.__class__ is int:
            self.user_id = user_id = str(user_id)
        visitor_id: Any = self.visitor_id
        if visitor_id is None:
            visitor_id = ""
        elif visitor_id.__class__ is int:
            self.visitor_id = visitor_id = str(visitor_id)
        texts = self.site_id + self.event_type + self.path + user_id + visitor_id
        # In ASCII a character is a byte, so the declared lengths suffice.
        if not texts.isascii() or "\0" in texts or len(user_id) > MAX_USER or len(visitor_id) > MAX_USER:
            for name in MAX_BYTES:
                if fault := text_fault(name, getattr(self, name) or ""):
                    raise ValueError(f"{name} {fault}")
        if self.properties is not None and (fault := properties_fault(self.properties)):
            raise ValueError(f"properties {fault}")


class ExactEvent(Event, kw_only=True, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """An event without unknown fields: decoding costs no more, and detects events that have some."""


class ReceivedEvent(Event, kw_only=True, omit_defaults=True, gc=False):
    """What the queue carries: an event with its id and time filled in, and when we received it."""

    user_id: str | None = None
    timestamp: datetime
    event_id: str  # type: ignore[assignment]  # always as text
    received_at: datetime
    visitor_id: str | None = None
    id_made: bool = False
    """Whether we made the id: then no stored event has it, unless a client took it from our response."""

    def __post_init__(self) -> None:
        """Nothing: it was checked as an Event."""


class TimeWindow(msgspec.Struct, frozen=True):
    """The times that an event may have: from `not_before`, and `back` before its arrival, to `ahead` after it."""

    not_before: datetime
    ahead: timedelta
    back: timedelta | None = None
    """After which time events expire; None: never."""

    def earliest(self, now: datetime) -> datetime:
        """The earliest time that an event may have if it arrives now."""
        return self.not_before if self.back is None else max(self.not_before, now - self.back)

    def fault(self, time: datetime, now: datetime) -> str | None:
        """Why `time` is outside, or None."""
        if time < (earliest := self.earliest(now)):
            # What was 1.8 thousand million seconds is in January 1970 as milliseconds.
            meant = EPOCH + (time - EPOCH) * 1000 if EPOCH < time < EPOCH + timedelta(days=365) else time
            seconds = (
                ", as a number is milliseconds since 1970, not seconds" if earliest <= meant <= now + self.ahead else ""
            )
            return f"is {time.isoformat()}: before {earliest.isoformat()}{seconds}"
        if time > now + self.ahead:
            return f"is {time.isoformat()}: more than {self.ahead / timedelta(hours=1):g} h ahead"
        return None


def receive(event: Event, *, now: datetime, window: TimeWindow) -> ReceivedEvent:
    """Complete an event: its id (the client's or a new UUIDv7) and time (the client's or that of the UUIDv7); normalize
    its type, and replace placeholders for an unknown user by None.

    As if it came without a secret key: Admission knows who sent it. Raises ValueError if the time is unknown or outside
    the window.
    """
    if event.event_id is None:
        made = uuid7()
        event_id = made_id(made)
        time = event_time(made.timestamp if event.timestamp is None else event.timestamp)
    else:
        event_id = str(event.event_id)
        if event_id[VARIANT] < FIRST_WITHOUT_KEY:  # here, as a call would cost each event more than that
            event_id = id_without_key(event_id)
        time = event_time(event.timestamp, event.event_id)
    if fault := window.fault(time, now):
        raise ValueError(f"timestamp {fault}")
    user_id: Any = event.user_id  # an integer has become its text
    if user_id is not None and user_id[-1:] in ENDS_OF_NOBODIES and is_nobody(user_id):
        user_id = None
    visitor_id: Any = event.visitor_id
    if visitor_id is not None and visitor_id[-1:] in ENDS_OF_NOBODIES and is_nobody(visitor_id):
        visitor_id = None
    return ReceivedEvent(
        site_id=event.site_id,
        event_type=usual_type(event.event_type),
        path=event.path,
        user_id=user_id,
        timestamp=time.astimezone(UTC),  # PostgreSQL cannot read offsets of 16 hours or more
        event_id=event_id,
        properties=event.properties,
        received_at=now,
        visitor_id=visitor_id,
        agent=event.agent,
        origin=event.origin,
        id_made=event.event_id is None,
    )


def made_id(made: uuid_utils.UUID) -> str:
    """An id made by ingestion: a UUIDv7 in which 26 of the 74 random bits are fixed.

    By them the store recognizes an id that a client took from our response, and checks it further (table event_ids).
    """
    text = str(made)
    return f"{text[:14]}7e1d-9e1d{text[23:]}"


def event_time(timestamp: datetime | int | None, event_id: UUID | None = None) -> datetime:
    """When an event happened: the client's timestamp, else the time in its UUIDv7 (RFC 9562, section 5.7)."""
    if isinstance(timestamp, datetime):
        return timestamp
    if timestamp is not None:
        return EPOCH + timedelta(milliseconds=timestamp)
    if event_id is None or event_id.version != 7:
        raise ValueError("timestamp is missing, and event_id is not a UUIDv7, which would carry a time")
    try:
        return EPOCH + timedelta(milliseconds=event_id.int >> 80)
    except OverflowError:
        raise ValueError("event_id carries a time after the year 9999") from None
