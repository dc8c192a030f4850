"""The protocol of Umami: https://umami.is/docs/api/sending-stats."""

from collections.abc import Iterable
from typing import Any

import msgspec

from apps.events.given import first_given
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import campaign, first_path
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    UNKNOWN_TYPE,
    SentEvent,
    decode_array,
    decode_event,
    decode_value,
    envelope,
    first_text,
    first_user_id,
    read_address,
    with_properties,
)
from db.events.tolerant_json import UNREADABLE

#: The types of messages that become events.
KINDS = ("event", "identify")
#: Times from this number on are milliseconds: as seconds they would be after the year 5000.
MILLISECONDS = 10**11
#: Members of a payload that become properties.
TO_PROPERTIES = ("title", "referrer", "language", "screen", "tag")


def parse(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """`{"type": "event" or "identify", "payload": {...}}`; other types, such as "performance", are dropped."""
    return [_sent_event(body)]


def parse_batch(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """An array of the objects that `parse` takes."""
    return [_isolated(raw) for raw in decode_array(body)]


def _isolated(raw: msgspec.Raw) -> SentEvent | None:
    try:
        return _sent_event(raw)
    except UNREADABLE:
        return None


def _sent_event(raw: bytes | msgspec.Raw) -> SentEvent | None:
    around = envelope(raw)
    payload = decode_event(around.payload)
    if payload is None:
        return None
    url, kind = payload.get("url"), decode_value(around.type)
    return SentEvent(
        key=first_text(payload.get("website")),
        event_type=kind if kind == "identify" else first_given(payload.get("name"), PAGE_VIEW),
        path=first_path(url),
        user_id=first_user_id(payload.get("id")),
        by_visitor=True,
        properties=with_properties(
            payload.get("data"), {name: payload.get(name) for name in TO_PROPERTIES} | campaign(url)
        ),
        timestamp=_seconds(payload.get("timestamp")),
        address=read_address(payload.get("ip")),
        user_agent=payload.get("userAgent"),
        ignored=None if kind in KINDS else UNKNOWN_TYPE,
    )


def _seconds(given: Any) -> Any:
    """Umami's time (seconds since 1970) in milliseconds; None for 0; anything else unchanged."""
    if isinstance(given, str) and given.strip().isascii() and given.strip().isdecimal() and len(given) < 16:
        given = int(given)
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        return given
    if given == 0:
        return None
    return given * 1000 if abs(given) < MILLISECONDS else given
