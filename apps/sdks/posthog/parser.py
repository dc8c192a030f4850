"""The protocol of PostHog: https://posthog.com/docs/api/capture."""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from apps.events.given import first_given
from apps.origins.deriving import Told
from apps.sdks.posthog.identity import who
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import first_path
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    SentEvent,
    as_object,
    decode_array,
    decode_event,
    decode_value,
    envelope,
    first_text,
    read_address,
    with_properties,
)

#: Our names of PostHog's own events; other events keep their names.
NAMES = {
    "$pageview": PAGE_VIEW,
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$create_alias": "alias",
    "$groupidentify": "group",
}
#: Properties that are not stored: the key, and the visitor's address.
LEFT_OUT = ("token", "$ip")
#: The referrer of who came without one.
DIRECT = "$direct"
#: The option of an event whose time needs no correction of clock skew.
UNCORRECTED = "disable_skew_correction"


def parse(body: bytes, caller: Caller) -> Iterable[SentEvent | None]:
    """`{"api_key": "...", "batch": [...]}`, a single event, a bare list of events, or one of these in a form."""
    if body.startswith(b"data="):
        body = _from_form(body)
    key: Any = None
    sent_at: Any = first_given(caller.sent_at, caller.query.get("sent_at"), caller.query.get("_"))
    parts: Sequence[bytes | msgspec.Raw] = [body]
    if body.lstrip()[:1] == b"[":
        parts = decode_array(body)
    else:
        around = envelope(body)
        key = first_text(decode_value(around.api_key), decode_value(around.token))
        sent_at = first_given(decode_value(around.posthog_sent_at), sent_at)
        if bytes(around.batch):
            parts = decode_array(around.batch)
    return (_sent_event(decode_event(part), caller, key=key, sent_at=sent_at) for part in parts)


def _from_form(body: bytes) -> bytes:
    """The base64 in a form, which old browsers send when the user leaves a page. Raises ValueError."""
    try:
        # A plus sign of base64 that the client did not escape was decoded to a space.
        return b64decode(parse_qs(body.decode("ascii"))["data"][0].replace(" ", "+"))
    except (KeyError, binascii.Error):
        raise ValueError("the form holds no base64 as data") from None


def _sent_event(event: dict[str, Any] | None, caller: Caller, *, key: Any, sent_at: Any) -> SentEvent | None:
    if event is None:
        return None
    name, given = event.get("event"), event.get("properties")
    properties = as_object(given)
    person, address = who(event, properties), read_address(properties.get("$ip"))
    uncorrected = first_given(properties.get("$ignore_sent_at"), as_object(event.get("options")).get(UNCORRECTED))
    if isinstance(given, dict):
        given = {name: value for name, value in given.items() if name not in LEFT_OUT}
    return SentEvent(
        key=first_text(key, caller.bearer, properties.get("token"), event.get("api_key")),
        event_type=NAMES.get(name, name) if isinstance(name, str) else name,
        path=first_path(properties.get("$pathname"), properties.get("$current_url")),
        user_id=person.user_id,
        visitor_id=person.visitor_id,
        by_visitor=person.cookieless or (address is not None and person.user_id is None),
        timestamp=event.get("timestamp"),
        sent_at=None if uncorrected is True else first_given(event.get("sent_at"), sent_at),
        milliseconds_ago=event.get("offset"),
        message_id=event.get("uuid"),
        properties=with_properties(given, {name: event.get(name) for name in ("$set", "$set_once")}),
        address=address,
        user_agent=properties.get("$raw_user_agent"),
        told=_told(properties, address),
    )


def _told(properties: dict[str, Any], address: str | None) -> Told:
    referrer = first_given(properties.get("$referrer"), properties.get("$referring_domain"))
    return Told(
        url=properties.get("$current_url"),
        referrer=None if referrer == DIRECT else referrer,
        user_agent=properties.get("$raw_user_agent"),
        language=first_given(properties.get("$browser_language"), properties.get("$locale")),
        timezone=properties.get("$timezone"),
        country=properties.get("$geoip_country_code"),
        address=address,
        # Not $os, which server SDKs have too, of their own machine.
        device=properties.get("$device_type"),
        os=properties.get("$os_name"),
    )
