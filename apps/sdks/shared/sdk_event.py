"""What an SDK sent: an event in our words, its values as they came, not judged yet; and reading it from JSON."""

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any

import msgspec

from apps.events.given import is_given
from apps.sdks.shared.caller import Caller
from apps.web.problems import refuse
from db.events.spellings import PAGE_VIEW as PAGE_VIEW
from db.events.spellings import is_nobody
from db.events.tolerant_json import UNREADABLE, read, take_apart

#: Events that one request may carry; Segment takes as many.
MAX_EVENTS = 2_500
#: Bytes of one of them. What we keep of it is limited like any event; this bounds what is read.
EVENT_BYTES = 1024 * 1024
#: Why a message is no event for us whose kind nobody knows: what it means cannot be guessed.
UNKNOWN_TYPE = "type"


class SentEvent(msgspec.Struct, kw_only=True):
    """One event of a request."""

    key: Any
    """What names the site."""
    event_type: Any
    path: Any
    user_id: Any = None
    """Who did it, None where the event does not say."""
    by_visitor: bool = False
    """Whether an event without user_id belongs to a visitor who is told apart for a day, by address and browser."""
    timestamp: Any = None
    sent_at: Any = None
    """When it was sent, by the clock by which `timestamp` says when it happened."""
    milliseconds_ago: Any = None
    """How long before it was sent it happened, where it says no time."""
    message_id: Any = None
    properties: Any = None
    address: str | None = None
    """The visitor's, where the event carries it: a server that sends for its visitors says so."""
    user_agent: Any = None
    """The visitor's, where the event carries it."""
    ignored: str | None = None
    """Why it is no event for us, where it is none."""


class Envelope(msgspec.Struct, rename={"write_key": "writeKey", "sent_at": "sentAt", "posthog_sent_at": "sent_at"}):
    """What the protocols have around their events, each as it came, empty where it is missing."""

    batch: msgspec.Raw = msgspec.Raw()
    write_key: msgspec.Raw = msgspec.Raw()
    api_key: msgspec.Raw = msgspec.Raw()
    token: msgspec.Raw = msgspec.Raw()
    sent_at: msgspec.Raw = msgspec.Raw()
    posthog_sent_at: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    payload: msgspec.Raw = msgspec.Raw()


#: None stands for what is no event at all.
Parser = Callable[[bytes, Caller], Iterable[SentEvent | None]]


def envelope(body: bytes | msgspec.Raw) -> Envelope:
    """What is around the events. Raises ValueError and RecursionError where it is no object."""
    return take_apart(body, Envelope)


def elements(raw: bytes | msgspec.Raw) -> Sequence[msgspec.Raw]:
    """The elements of an array. Raises ValueError and RecursionError where it is none, and Refusal (413)."""
    found = take_apart(raw, list[msgspec.Raw])
    if len(found) > MAX_EVENTS:
        raise refuse(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"a request may hold {MAX_EVENTS:,} events; this one has {len(found):,}",
        )
    return found


def event(raw: bytes | msgspec.Raw) -> dict[str, Any] | None:
    """The object that is an event; None where it is none or too large."""
    found = value(raw) if len(bytes(raw)) <= EVENT_BYTES else None
    return found if isinstance(found, dict) else None


def value(raw: bytes | msgspec.Raw) -> Any:
    """A value, None where it cannot be read."""
    try:
        return read(raw)
    except UNREADABLE:
        return None


def as_object(given: Any) -> dict[str, Any]:
    """An object, empty where it is none."""
    return given if isinstance(given, dict) else {}


def text(*candidates: Any) -> str | None:
    """The first of these that is text with something in it, or a number."""
    for candidate in candidates:
        if isinstance(candidate, str) and is_given(candidate):
            return candidate
        if isinstance(candidate, int | float) and not isinstance(candidate, bool):
            return str(candidate)
    return None


def address(given: Any) -> str | None:
    """An IP address, the first where it is a list as of X-Forwarded-For; None where it is none."""
    try:
        found = ip_address(given.partition(",")[0].strip()) if isinstance(given, str) else None
    except ValueError:
        return None
    if found is None or found.is_unspecified:  # as 0.0.0.0, by which an address is kept secret
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def user(*candidates: Any) -> str | None:
    """The first of these that is the id of a user, and not nobody's such as `null`."""
    return next((given for one in candidates if (given := text(one)) and not is_nobody(given)), None)


def with_properties(given: Any, more: dict[str, Any]) -> Any:
    """Properties with more that is known, what was sent going first; where they are something else, as they came."""
    known = {name: value for name, value in more.items() if is_given(value)}
    if not is_given(given):
        return known or None
    return known | given if isinstance(given, dict) else given
