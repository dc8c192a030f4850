"""From what an SDK sent to an event of ours: its id, its time, its user."""

import re
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5

import msgspec

from apps.events.given import is_given
from apps.events.validation import encode
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.clock_skew import moment
from apps.sdks.shared.sdk_event import SentEvent, text
from db.events.errors import field_errors
from db.events.event import MAX_BYTES, Event, TimeWindow, text_fault
from db.events.fitting import cut_text, fit_properties, storable
from db.events.tolerant_json import UNREADABLE

#: Of the ids that are made from those of SDKs. Fixed for ever: else what is sent again would count again.
NAMESPACE = UUID("b0a8f8a5-3a4c-5d0e-9c39-2f6f6b2c1d47")
# UUID() would also take braces, urn: and digits without hyphens, which are other ids to who sent them.
CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class Dropped(Exception):
    """An event that cannot be taken; the message says why, in a word for the metrics."""


def event_id(message_id: Any) -> UUID | None:
    """The id of an event: the SDK's where it is a UUID, else one made of the whole text, None where there is none."""
    given = text(message_id)
    if given is None:
        return None
    # Not the UUID inside a longer text: those of segment-node share most of their digits with their neighbours.
    return UUID(given) if CANONICAL.fullmatch(given) else uuid5(NAMESPACE, given)


def visitor_id(salt: bytes, site_id: str, sent: SentEvent, caller: Caller, *, time: Any, now: datetime) -> str:
    """Who a visitor without an id is, for a day: from their address and browser nobody can go back to them."""
    agent = sent.user_agent if isinstance(sent.user_agent, str) and is_given(sent.user_agent) else caller.user_agent
    parts = [site_id, sent.address or caller.address, agent]
    # The salt is that of today; history that is sent now is of other days, and a visitor of each another one.
    if (then := moment(time)) and then.date() != now.date():
        parts.append(then.date().isoformat())
    return "daily-" + blake2b("\0".join(parts).encode(), key=salt, digest_size=16).hexdigest()


def to_event(
    sent: SentEvent,
    site_id: str,
    *,
    event_id: UUID | None,
    user_id: Any,
    time: Any,
    bot: bool,
    now: datetime,
    window: TimeWindow,
) -> tuple[Event, list[str]]:
    """The event under our limits, and the fields of which not all could be kept; `bot` marks it as one of a bot.

    Raises Dropped with the field that is not valid.
    """
    properties = sent.properties
    if bot and (properties is None or isinstance(properties, dict)):
        properties = (properties or {}) | {"bot": True}
    fields = {
        "site_id": site_id,
        "event_type": sent.event_type,
        "path": sent.path,
        "user_id": user_id,
        "timestamp": time,
        "event_id": event_id,
        "properties": properties,
    }
    try:
        return msgspec.convert(fields, Event), []
    except UNREADABLE:
        fitted = fields | _fitted(fields)
    try:
        event = msgspec.convert(fitted, Event)
    except UNREADABLE:
        raise Dropped(_bad_field(fitted, now, window)) from None
    return event, [name for name in fields if fields[name] != fitted[name]]


def _fitted(fields: dict[str, Any]) -> dict[str, Any]:
    """What of the optional ones can be kept: a path's beginning, no user whose id is too long, fitting properties."""
    path, user_id, properties = fields["path"], fields["user_id"], fields["properties"]
    if isinstance(path, str):
        path = cut_text(storable(path), MAX_BYTES["path"])
    if isinstance(user_id, str):
        user_id = storable(user_id)
        user_id = None if text_fault("user_id", user_id) else user_id
    properties = fit_properties(properties)[0] if isinstance(properties, dict) else None
    return {"path": path, "user_id": user_id, "properties": properties}


def _bad_field(fields: dict[str, Any], now: datetime, window: TimeWindow) -> str:
    try:
        errors = field_errors(encode(fields), now=now, window=window)
    except (*UNREADABLE, OverflowError):
        return "event"
    return next((error.field for error in errors if error.field), "event")
