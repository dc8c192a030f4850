"""The protocol of Umami: https://umami.is/docs/api/sending-stats."""

from collections.abc import Iterable

import msgspec

from apps.acceptance import UNREADABLE
from apps.clients.caller import Caller
from apps.clients.sent import (
    PAGE_VIEW,
    UNKNOWN_TYPE,
    SentEvent,
    campaign,
    elements,
    envelope,
    event,
    path,
    text,
    value,
    with_properties,
)
from apps.given import first_given

#: What a message may be.
KINDS = ("event", "identify")
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
        user_id=text(payload.get("id")),
        by_visitor=True,
        properties=with_properties(payload.get("data"), {name: payload.get(name) for name in KEPT} | campaign(url)),
        user_agent=payload.get("userAgent"),
        ignored=None if kind in KINDS else UNKNOWN_TYPE,
    )
