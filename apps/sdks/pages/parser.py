"""The protocols of pages without an SDK: our script (tracker.js), and an image where scripts are off."""

from collections.abc import Iterable
from typing import Any

import msgspec

from apps.events.given import is_given
from apps.events.url_path import path_of_target
from apps.origins.deriving import Told
from apps.sdks.shared import event_path
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    SentEvent,
    decode_array,
    decode_event,
    decode_value,
    first_id,
    with_properties,
)
from db.events.tolerant_json import take_apart


class TrackerEnvelope(msgspec.Struct):
    """The members around the script's events, undecoded; empty if missing."""

    site_id: msgspec.Raw = msgspec.Raw()
    sent_at: msgspec.Raw = msgspec.Raw()
    timezone: msgspec.Raw = msgspec.Raw()
    language: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()


def parse(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """`{"site_id": "...", "sent_at": 1767323045678, "events": [...]}`, the events as those of POST /events."""
    around = take_apart(body, TrackerEnvelope)
    if not bytes(around.events):
        raise ValueError("events is missing")
    key, sent_at = decode_value(around.site_id), decode_value(around.sent_at)
    told = Told(timezone=decode_value(around.timezone), language=decode_value(around.language))
    return (_sent_event(decode_event(raw), key, sent_at, told) for raw in decode_array(around.events))


def view(site: str | None, path: str | None, referer: str | None) -> SentEvent:
    """The page view of an image request: its `path`, otherwise the path of the page that contains it."""
    return SentEvent(
        key=site,
        event_type=PAGE_VIEW,
        path=event_path.first_path(path) if is_given(path) else path_of_target(referer or ""),
        by_visitor=True,
        properties=with_properties(None, event_path.campaign(referer)),
    )


def _sent_event(event: dict[str, Any] | None, key: Any, sent_at: Any, told: Told) -> SentEvent | None:
    if event is None:
        return None
    return SentEvent(
        key=key,
        event_type=event.get("event_type"),
        path=event.get("path"),
        user_id=first_id(event.get("user_id")),
        visitor_id=first_id(event.get("visitor_id")),
        by_visitor=True,
        timestamp=event.get("timestamp"),
        sent_at=sent_at,
        message_id=event.get("event_id"),
        properties=event.get("properties"),
        agent=event.get("agent"),
        origin=event.get("origin"),
        told=told,
    )
