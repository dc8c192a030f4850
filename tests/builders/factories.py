"""Events for tests: `event(shop, user_id="ann")` as a client sends it, `received(...)` as the queue carries it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from db.events.event import Event, ReceivedEvent, TimeWindow, receive

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WINDOW = TimeWindow(not_before=datetime(2000, 1, 1, tzinfo=UTC), ahead=timedelta(hours=24))


def event(site_id: str, **fields: Any) -> dict[str, Any]:
    """A page view at noon of 10 March 2026, unless the fields say otherwise."""
    return {
        "site_id": site_id,
        "event_type": "page_view",
        "path": "/",
        "timestamp": NOW.isoformat(),
    } | fields


def received(site_id: str, **fields: Any) -> ReceivedEvent:
    """The same as the queue carries it."""
    return receive(msgspec.convert(event(site_id, **fields), Event), now=datetime.now(UTC), window=WINDOW)


def batch(*events: ReceivedEvent) -> bytes:
    """What a message holds: a JSON array of events."""
    return msgspec.json.encode(events)
