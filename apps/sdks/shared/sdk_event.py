"""The event that an SDK sent, with our field names and unvalidated values, and functions to decode it from JSON."""

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any

import msgspec

from apps.events.given import is_given
from apps.origins.deriving import NOTHING, Told
from apps.sdks.shared.caller import Caller
from apps.web.problems import refuse
from db.events.spellings import PAGE_VIEW as PAGE_VIEW
from db.events.spellings import is_nobody
from db.events.tolerant_json import UNREADABLE, read, take_apart

#: Largest number of events in a request, as Segment has it.
MAX_EVENTS = 2_500
#: Largest event in bytes that is decoded; a stored event has smaller limits.
EVENT_BYTES = 1024 * 1024
#: The reason to drop a message of an unknown type.
UNKNOWN_TYPE = "type"


class SentEvent(msgspec.Struct, kw_only=True):
    """One event of a request."""

    key: Any
    """The key that names the site."""
    event_type: Any
    path: Any
    user_id: str | None = None
    """Whom the shop knows; None if the event has none."""
    visitor_id: str | None = None
    """The browser or device; None if the event has none."""
    by_visitor: bool = False
    """Whether an event without visitor_id gets one for a day, by address and user agent."""
    timestamp: Any = None
    sent_at: Any = None
    """When it was sent, by the same clock as `timestamp`."""
    milliseconds_ago: Any = None
    """Time between the event and its sending, for an event without a timestamp."""
    message_id: Any = None
    properties: Any = None
    address: str | None = None
    """The visitor's, if the event has it: servers that send events for visitors set it."""
    user_agent: Any = None
    """The visitor's, if the event has it."""
    agent: Any = None
    origin: Any = None
    told: Told = NOTHING
    """What else it says of the visitor and where they came from."""
    ignored: str | None = None
    """Why the event is ignored; None if it is not."""


class Envelope(msgspec.Struct, rename={"write_key": "writeKey", "sent_at": "sentAt", "posthog_sent_at": "sent_at"}):
    """The members around the events in all protocols, undecoded; empty if missing."""

    batch: msgspec.Raw = msgspec.Raw()
    write_key: msgspec.Raw = msgspec.Raw()
    api_key: msgspec.Raw = msgspec.Raw()
    token: msgspec.Raw = msgspec.Raw()
    sent_at: msgspec.Raw = msgspec.Raw()
    posthog_sent_at: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    payload: msgspec.Raw = msgspec.Raw()


#: Parses a body; None stands for an element that is not an event at all.
Parser = Callable[[bytes, Caller], Iterable[SentEvent | None]]


def envelope(body: bytes | msgspec.Raw) -> Envelope:
    """The members around the events. Raises ValueError and RecursionError if the JSON is not an object."""
    return take_apart(body, Envelope)


def decode_array(raw: bytes | msgspec.Raw) -> Sequence[msgspec.Raw]:
    """The elements of an array. Raises ValueError and RecursionError if it is not one, and Refusal (413)."""
    elements = take_apart(raw, list[msgspec.Raw])
    if len(elements) > MAX_EVENTS:
        raise refuse(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"a request may hold {MAX_EVENTS:,} events; this one has {len(elements):,}",
        )
    return elements


def decode_event(raw: bytes | msgspec.Raw) -> dict[str, Any] | None:
    """The JSON object of an event; None if it is not an object or too large."""
    event = decode_value(raw) if len(bytes(raw)) <= EVENT_BYTES else None
    return event if isinstance(event, dict) else None


def decode_value(raw: bytes | msgspec.Raw) -> Any:
    """A JSON value; None if it cannot be decoded."""
    try:
        return read(raw)
    except UNREADABLE:
        return None


def as_object(given: Any) -> dict[str, Any]:
    """The object, or an empty one for any other value."""
    return given if isinstance(given, dict) else {}


def first_text(*candidates: Any) -> str | None:
    """The first candidate that is non-blank text or a number, as text."""
    for candidate in candidates:
        if isinstance(candidate, str) and is_given(candidate):
            return candidate
        if isinstance(candidate, int | float) and not isinstance(candidate, bool):
            return str(candidate)
    return None


def read_address(given: Any) -> str | None:
    """An IP address, the first of a list as in X-Forwarded-For; None if it is not one."""
    try:
        address = ip_address(given.partition(",")[0].strip()) if isinstance(given, str) else None
    except ValueError:
        return None
    if address is None or address.is_unspecified:  # 0.0.0.0 hides the address
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def first_id(*candidates: Any) -> str | None:
    """The first candidate that is the id of a user or a visitor, and not a placeholder such as `null`."""
    return next((given for one in candidates if (given := first_text(one)) and not is_nobody(given)), None)


def with_properties(given: Any, more: dict[str, Any]) -> Any:
    """The sent properties with those of `more` that they lack; unchanged if they are not an object."""
    known = {name: value for name, value in more.items() if is_given(value)}
    if not is_given(given):
        return known or None
    return known | given if isinstance(given, dict) else given
