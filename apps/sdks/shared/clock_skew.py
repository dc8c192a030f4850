"""Correct the clock skew of SDKs: the time at which an SDK says it sent an event shows how far off its clock is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.events.given import is_given
from apps.sdks.shared.sdk_event import SentEvent
from db.events.event import EPOCH, LAST_MILLISECOND, TimeWindow, event_time

#: Allowance for the network: a clock that differs by no more counts as right, and its times stay unchanged.
NETWORK_DELAY = timedelta(seconds=10)


def time_of(sent: SentEvent, event_id: UUID | None, *, now: datetime, window: TimeWindow) -> Any:
    """The corrected time of an event that arrives `now`: `now - (sent_at - timestamp)`, as the SDKs' own servers do.

    None if the event has no time. An unreadable time is returned unchanged and fails the validation later. `sent_at` is
    ignored if the corrected time would be outside the window.
    """
    given = read_time(sent.timestamp)
    if given is None and (ago := _milliseconds(sent.milliseconds_ago)) is not None and ago <= now - EPOCH:
        return now - ago
    sent_at = moment(sent.sent_at)
    if sent_at is None or abs(now - sent_at) <= NETWORK_DELAY:
        return given
    time = moment(given) if given is not None else _inside(event_id)
    # No event is sent before it happens: otherwise the two times come from different, unknown clocks.
    if time is None or time - sent_at > NETWORK_DELAY:
        return given
    try:
        corrected = now - (sent_at - time)
    except OverflowError:
        return given
    return given if window.fault(corrected, now) else corrected


def read_time(timestamp: Any) -> Any:
    """A timestamp as our events have it; None if none is given; an unreadable one is returned unchanged."""
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
    """A time since 1970 (UTC) or None. Text may also hold milliseconds: PostHog's SDK has them in the URL."""
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
    """The time inside a UUIDv7, which is by the client's clock too."""
    try:
        return event_time(None, event_id)
    except ValueError:
        return None


def _milliseconds(given: Any) -> timedelta | None:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= LAST_MILLISECOND:
        return timedelta(milliseconds=given)
    return None
