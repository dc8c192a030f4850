"""The protocol of Umami: https://umami.is/docs/api/sending-stats."""

from collections.abc import Iterable
from typing import Any

import msgspec

from apps.events.given import first_given, is_given
from apps.origins.deriving import Told
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
    first_id,
    first_text,
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


def parse(body: bytes, caller: Caller) -> Iterable[SentEvent | None]:
    """`{"type": "event" or "identify", "payload": {...}}`; other types, such as "performance", are dropped."""
    return [_sent_event(body, caller)]


def parse_batch(body: bytes, caller: Caller) -> Iterable[SentEvent | None]:
    """An array of the objects that `parse` takes."""
    return (_isolated(raw, caller) for raw in decode_array(body))


def _isolated(raw: msgspec.Raw, caller: Caller) -> SentEvent | None:
    try:
        return _sent_event(raw, caller)
    except UNREADABLE:
        return None


def _sent_event(raw: bytes | msgspec.Raw, caller: Caller) -> SentEvent | None:
    around = envelope(raw)
    payload = decode_event(around.payload)
    if payload is None:
        return None
    url, kind = payload.get("url"), decode_value(around.type)
    user_id, address = first_id(payload.get("id")), read_address(payload.get("ip"))
    return SentEvent(
        key=first_text(payload.get("website")),
        event_type=kind if kind == "identify" else first_given(payload.get("name"), PAGE_VIEW),
        path=first_path(url),
        user_id=user_id,
        # A server that tells of a user, and not of their address, is no visitor: its address is that of all its users.
        by_visitor=user_id is None or address is not None or caller.origin is not None,
        properties=with_properties(
            payload.get("data"), {name: payload.get(name) for name in TO_PROPERTIES} | campaign(url)
        ),
        timestamp=_seconds(payload.get("timestamp")),
        address=address,
        user_agent=payload.get("userAgent"),
        told=Told(
            url=_whole(url, payload.get("hostname")),
            referrer=payload.get("referrer"),
            user_agent=payload.get("userAgent"),
            language=payload.get("language"),
            address=address,
        ),
        ignored=None if kind in KINDS else UNKNOWN_TYPE,
    )


def _whole(url: Any, host: Any) -> Any:
    """The page's address with its host, which Umami has apart."""
    return f"https://{host}{url}" if isinstance(url, str) and url.startswith("/") and is_given(host) else url


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
