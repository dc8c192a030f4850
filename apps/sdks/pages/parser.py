"""What pages without an SDK send: our own script (tracker.js), and an image where scripts are off."""

from collections.abc import Iterable
from typing import Any

import msgspec

from apps.events.given import is_given
from apps.events.url_path import path_of_target
from apps.sdks.shared import event_path
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.sdk_event import PAGE_VIEW, SentEvent, elements, event, user, value, with_properties
from db.events.tolerant_json import take_apart


class Around(msgspec.Struct):
    """What the script sends around its events, each as it came, empty where it is missing."""

    site_id: msgspec.Raw = msgspec.Raw()
    sent_at: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()


def parse(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """`{"site_id": "...", "sent_at": 1767323045678, "events": [...]}`, the events as those of POST /events."""
    around = take_apart(body, Around)
    if not bytes(around.events):
        raise ValueError("events is missing")
    key, sent_at = value(around.site_id), value(around.sent_at)
    return [_meant(event(raw), key, sent_at) for raw in elements(around.events)]


def view(site: str | None, path: str | None, referer: str | None) -> SentEvent:
    """The page view that an image tells of: its path, else that of the page that it is in."""
    return SentEvent(
        key=site,
        event_type=PAGE_VIEW,
        path=event_path.path(path) if is_given(path) else path_of_target(referer or ""),
        by_visitor=True,
        properties=with_properties(None, event_path.campaign(referer)),
    )


def _meant(event: dict[str, Any] | None, key: Any, sent_at: Any) -> SentEvent | None:
    if event is None:
        return None
    return SentEvent(
        key=key,
        event_type=event.get("event_type"),
        path=event.get("path"),
        user_id=user(event.get("user_id")),
        by_visitor=True,
        timestamp=event.get("timestamp"),
        sent_at=sent_at,
        message_id=event.get("event_id"),
        properties=event.get("properties"),
    )
