"""The protocol of PostHog: https://posthog.com/docs/api/capture."""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from apps.events.given import first_given
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import path
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    SentEvent,
    address,
    as_object,
    elements,
    envelope,
    event,
    text,
    user,
    value,
    with_properties,
)

#: What PostHog's own events are called here; others keep their names.
NAMES = {
    "$pageview": PAGE_VIEW,
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$create_alias": "alias",
    "$groupidentify": "group",
}
#: Properties that are no business of an analyst's: the key, and the visitor's address.
LEFT_OUT = ("token", "$ip")
#: Who it was where PostHog's browser SDK must not keep anything: the server tells visitors apart.
COOKIELESS = "$posthog_cookieless"
#: The option of an event whose time is right whatever the clock is that sent it.
UNCORRECTED = "disable_skew_correction"


def parse(body: bytes, caller: Caller) -> Iterable[SentEvent | None]:
    """`{"api_key": "...", "batch": [...]}`, a single event, a bare list of events, or one of these in a form."""
    if body.startswith(b"data="):
        body = _from_form(body)
    key: Any = None
    sent_at: Any = first_given(caller.sent_at, caller.query.get("sent_at"), caller.query.get("_"))
    parts: Sequence[bytes | msgspec.Raw] = [body]
    if body.lstrip()[:1] == b"[":
        parts = elements(body)
    else:
        around = envelope(body)
        key = text(value(around.api_key), value(around.token))
        sent_at = first_given(value(around.posthog_sent_at), sent_at)
        if bytes(around.batch):
            parts = elements(around.batch)
    return [_meant(event(part), caller, key=key, sent_at=sent_at) for part in parts]


def _from_form(body: bytes) -> bytes:
    """What an old browser sends when its page is left: base64 in a form. Raises ValueError."""
    try:
        # A plus that was not escaped is one of base64's all the same.
        return b64decode(parse_qs(body.decode("ascii"))["data"][0].replace(" ", "+"))
    except (KeyError, binascii.Error):
        raise ValueError("the form holds no base64 as data") from None


def _meant(event: dict[str, Any] | None, caller: Caller, *, key: Any, sent_at: Any) -> SentEvent | None:
    if event is None:
        return None
    name, given = event.get("event"), event.get("properties")
    properties = as_object(given)
    ids, visitor = (event.get("distinct_id"), properties.get("distinct_id")), address(properties.get("$ip"))
    cookieless = COOKIELESS in ids
    kept_as_it_is = first_given(properties.get("$ignore_sent_at"), as_object(event.get("options")).get(UNCORRECTED))
    if isinstance(given, dict):
        given = {name: value for name, value in given.items() if name not in LEFT_OUT}
    return SentEvent(
        key=text(key, caller.bearer, properties.get("token"), event.get("api_key")),
        event_type=NAMES.get(name, name) if isinstance(name, str) else name,
        path=path(properties.get("$pathname"), properties.get("$current_url")),
        user_id=None if cookieless else user(*ids),
        by_visitor=cookieless or visitor is not None,
        timestamp=event.get("timestamp"),
        sent_at=None if kept_as_it_is is True else first_given(event.get("sent_at"), sent_at),
        milliseconds_ago=event.get("offset"),
        message_id=event.get("uuid"),
        properties=with_properties(given, {name: event.get(name) for name in ("$set", "$set_once")}),
        address=visitor,
        user_agent=properties.get("$raw_user_agent"),
    )
