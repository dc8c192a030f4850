"""When an event of an SDK happened by our clock: an SDK says by its own when it sent the event, which tells how far off
that clock is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.events.given import is_given
from apps.sdks.shared.sdk_event import SentEvent
from db.events.event import EPOCH, LAST_MILLISECOND, TimeWindow, event_time

#: What the way through the network may take: clocks that differ by no more are right, and times stay as they were sent.
ON_THE_WAY = timedelta(seconds=10)


def time_of(sent: SentEvent, event_id: UUID | None, *, now: datetime, window: TimeWindow) -> Any:
    """When an event happened that arrives `now`: as the real servers say it, `now - (sent_at - timestamp)`.

    None where nothing says it; what cannot be read is left as it is, to be refused. A `sent_at` by which it would have
    happened at a time that no event may have is none.
    """
    given = read_time(sent.timestamp)
    if given is None and (ago := _milliseconds(sent.milliseconds_ago)) is not None:
        return now - ago
    sent_at = moment(sent.sent_at)
    if sent_at is None or abs(now - sent_at) <= ON_THE_WAY:
        return given
    time = moment(given) if given is not None else _inside(event_id)
    # Nothing is sent before it happens: then these are times of two clocks, and nobody knows of which.
    if time is None or time - sent_at > ON_THE_WAY:
        return given
    try:
        corrected = now - (sent_at - time)
    except OverflowError:
        return given
    return given if window.fault(corrected, now) else corrected


def read_time(timestamp: Any) -> Any:
    """A time as our events have it, None where none is given; what cannot be read is left as it is."""
    if not is_given(timestamp):
        return None
    if not isinstance(timestamp, str):
        return timestamp
    try:
        time = datetime.fromisoformat(timestamp.strip())
    except ValueError:
        return timestamp
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def moment(given: Any) -> datetime | None:
    """A time since 1970 (UTC), None where it is none; as text, milliseconds too: PostHog's SDK has them in the URL."""
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < 16:
        given = int(given)
    time = read_time(given)
    if isinstance(time, int) and not isinstance(time, bool) and 0 <= time <= LAST_MILLISECOND:
        return EPOCH + timedelta(milliseconds=time)
    if not isinstance(time, datetime) or time < EPOCH:
        return None
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None


def _inside(event_id: UUID | None) -> datetime | None:
    """The time inside a UUIDv7, which is of the client's clock too."""
    try:
        return event_time(None, event_id)
    except ValueError:
        return None


def _milliseconds(given: Any) -> timedelta | None:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= LAST_MILLISECOND:
        return timedelta(milliseconds=given)
    return None
