"""The protocol of Umami: https://umami.is/docs/api/sending-stats."""

from collections.abc import Iterable
from typing import Any

import msgspec

from apps.events.given import first_given
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import campaign, path
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    UNKNOWN_TYPE,
    SentEvent,
    address,
    elements,
    envelope,
    event,
    text,
    user,
    value,
    with_properties,
)
from db.events.tolerant_json import UNREADABLE

#: What a message may be.
KINDS = ("event", "identify")
#: What is as large is no time in seconds, but in milliseconds: those would be years after 5000.
MILLISECONDS = 10**11
#: Members of a payload that say what no other field of ours does.
KEPT = ("title", "referrer", "language", "screen", "tag")


def parse(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """`{"type": "event" or "identify", "payload": {...}}`; other types, as "performance", are no events of ours."""
    return [_meant(body)]


def parse_batch(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """An array of these."""
    return [_isolated(raw) for raw in elements(body)]


def _isolated(raw: msgspec.Raw) -> SentEvent | None:
    try:
        return _meant(raw)
    except UNREADABLE:
        return None


def _meant(raw: bytes | msgspec.Raw) -> SentEvent | None:
    around = envelope(raw)
    payload = event(around.payload)
    if payload is None:
        return None
    url, kind = payload.get("url"), value(around.type)
    return SentEvent(
        key=text(payload.get("website")),
        event_type=kind if kind == "identify" else first_given(payload.get("name"), PAGE_VIEW),
        path=path(url),
        user_id=user(payload.get("id")),
        by_visitor=True,
        properties=with_properties(payload.get("data"), {name: payload.get(name) for name in KEPT} | campaign(url)),
        timestamp=_seconds(payload.get("timestamp")),
        address=address(payload.get("ip")),
        user_agent=payload.get("userAgent"),
        ignored=None if kind in KINDS else UNKNOWN_TYPE,
    )


def _seconds(given: Any) -> Any:
    """Umami's times, in seconds since 1970, in milliseconds; 0 and what is empty is none, anything else as it came."""
    if isinstance(given, str) and given.strip().isascii() and given.strip().isdecimal() and len(given) < 16:
        given = int(given)
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        return given
    if given == 0:
        return None
    return given * 1000 if abs(given) < MILLISECONDS else given
