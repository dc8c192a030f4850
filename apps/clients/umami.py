"""The protocol of Umami: https://umami.is/docs/api/sending-stats."""

from collections.abc import Iterable

from apps.clients.caller import Caller
from apps.clients.sent import (
    PAGE_VIEW,
    SentEvent,
    campaign,
    envelope,
    event,
    path,
    text,
    user,
    value,
    with_properties,
)
from apps.given import first_given

#: Members of a payload that say what no other field of ours does.
KEPT = ("title", "referrer", "language", "screen", "tag")


def parse(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """`{"type": "event" or "identify", "payload": {...}}`."""
    around = envelope(body)
    payload = event(around.payload)
    if payload is None:
        return [None]
    url = payload.get("url")
    return [
        SentEvent(
            key=text(payload.get("website")),
            event_type="identify" if value(around.type) == "identify" else first_given(payload.get("name"), PAGE_VIEW),
            path=path(url),
            user_id=user(payload.get("id")),
            by_visitor=True,
            properties=with_properties(payload.get("data"), {name: payload.get(name) for name in KEPT} | campaign(url)),
            user_agent=payload.get("userAgent"),
        )
    ]
