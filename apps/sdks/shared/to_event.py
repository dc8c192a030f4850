"""Convert an SDK's event to our Event: id, user, limits of the fields."""

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
from apps.sdks.shared.sdk_event import SentEvent, first_text
from db.events.errors import field_errors
from db.events.event import Event, TimeWindow
from db.events.fitting import cut_text, fit_properties, fit_user_id, storable
from db.events.known import KNOWN, fit_known
from db.events.limits import MAX_BYTES
from db.events.not_utf8 import ILL, holds_ill, without_ill
from db.events.tolerant_json import UNREADABLE

#: Namespace of the UUIDs made from SDKs' ids. It must never change, or an event sent again would count twice.
NAMESPACE = UUID("b0a8f8a5-3a4c-5d0e-9c39-2f6f6b2c1d47")
# UUID() also accepts braces, urn: and digits without hyphens, which are different ids for their sender.
CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
#: ILL as the encoded event has it.
ILL_BYTES = ILL.encode()


class Dropped(Exception):
    """An event is dropped; the message is the reason label for the metrics."""


def event_id(message_id: Any) -> UUID | None:
    """The id of an event: the SDK's if it is a UUID, otherwise a UUID made from the whole text; None if it has none."""
    given = first_text(message_id)
    if given is None or ILL in given:  # several ids became one
        return None
    # Not a UUID inside a longer text: in segment-node's ids those share most of their digits.
    return UUID(given) if CANONICAL.fullmatch(given) else uuid5(NAMESPACE, given)


def visitor_of_day(
    salt: bytes, site_id: str, sent: SentEvent, caller: Caller, *, trusted: bool, time: Any, now: datetime
) -> str | None:
    """A pseudonymous visitor id for one day: a keyed hash of site, address and user agent. It cannot be reversed
    without the salt.

    `trusted`: the event came with a secret key. Else an address that is not the caller's own is only claimed: such
    visitors are apart from those who send by themselves, and are never linked to a user (None), or whoever knows
    somebody's address could read what they did.
    """
    agent = sent.user_agent if isinstance(sent.user_agent, str) and is_given(sent.user_agent) else caller.user_agent
    parts = [site_id, sent.address or caller.address, agent]
    if not trusted and sent.address not in (None, caller.address):
        if sent.user_id is not None:
            return None
        parts.append("claimed")
    # The salt is today's. Older events are sent today too: add their day, so that each day has another visitor id.
    if (then := moment(time)) and then.date() != now.date():
        parts.append(then.date().isoformat())
    return "daily-" + blake2b("\0".join(parts).encode(), key=salt, digest_size=16).hexdigest()


def to_event(
    sent: SentEvent,
    site_id: str,
    *,
    event_id: UUID | None,
    visitor_id: str | None,
    time: Any,
    bot: bool,
    now: datetime,
    window: TimeWindow,
) -> tuple[Event, list[str]]:
    """The event within our limits, and the names of shortened fields; `bot` marks it as a bot's.

    Raises Dropped with the name of the invalid field.
    """
    properties = sent.properties
    if bot and (properties is None or isinstance(properties, dict)):
        properties = (properties or {}) | {"bot": True}
    fields = {
        "site_id": site_id,
        "event_type": sent.event_type,
        "path": sent.path,
        "user_id": sent.user_id,
        "visitor_id": visitor_id,
        "timestamp": time,
        "event_id": event_id,
        "properties": properties,
        "agent": sent.agent,
        "origin": sent.origin,
    }
    try:
        event = msgspec.convert(fields, Event)
        if ILL_BYTES not in encode(event):
            return event, []
    except UNREADABLE:
        pass
    fitted = fields | _fitted(fields)
    try:
        event = msgspec.convert(fitted, Event)
    except UNREADABLE:
        raise Dropped(_bad_field(fitted, now, window)) from None
    return event, [name for name in fields if fields[name] != fitted[name]]


def _fitted(given: dict[str, Any]) -> dict[str, Any]:
    """Fit fields to their limits: cut the path, drop ids that are too long or no UTF-8, fit the properties."""
    fields: dict[str, Any] = without_ill({name: given[name] for name in ("event_type", "path", "properties")})
    path, properties = fields["path"], fields["properties"]
    if isinstance(path, str):
        path = cut_text(storable(path), MAX_BYTES["path"])
    ids = {name: None if holds_ill(given[name]) else fit_user_id(given[name])[0] for name in ("user_id", "visitor_id")}
    properties = fit_properties(properties)[0] if isinstance(properties, dict) else None
    known = {name: fit_known(name, without_ill(given[name]))[0] if given[name] is not None else None for name in KNOWN}
    return fields | {"path": path, **ids, "properties": properties, **known}


def _bad_field(fields: dict[str, Any], now: datetime, window: TimeWindow) -> str:
    try:
        errors = field_errors(encode(fields), now=now, window=window)
    except (*UNREADABLE, OverflowError):
        return "event"
    return next((error.field for error in errors if error.field), "event")
