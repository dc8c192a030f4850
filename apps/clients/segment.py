"""The protocol of Segment, which RudderStack and Jitsu speak too: https://segment.com/docs/connections/sources/."""

from collections.abc import Iterable
from typing import Any

from apps.clients.caller import Caller
from apps.clients.sent import (
    PAGE_VIEW,
    SentEvent,
    as_object,
    campaign,
    elements,
    envelope,
    event,
    path,
    text,
    user,
    value,
    with_properties,
)
from apps.given import first_given

#: The calls, and the letters by which Segment's browser SDK names them in its URLs.
CALLS = {"t": "track", "p": "page", "i": "identify", "g": "group", "a": "alias", "s": "screen"}
#: Members of an event that say what no other field of ours does.
KEPT = ("name", "category", "groupId", "previousId")


def parse_batch(body: bytes, caller: Caller) -> Iterable[SentEvent | None]:
    """`{"batch": [...], "writeKey": "..."}`."""
    around = envelope(body)
    if not bytes(around.batch):
        raise ValueError("batch is missing")
    key = value(around.write_key)
    return [_meant(event(raw), caller, key=key, call=None) for raw in elements(around.batch)]


def parse_call(body: bytes, caller: Caller, *, call: str) -> Iterable[SentEvent | None]:
    """One event, whose kind the URL tells too."""
    return [_meant(event(body), caller, key=value(envelope(body).write_key), call=call)]


def _meant(event: dict[str, Any] | None, caller: Caller, *, key: Any, call: str | None) -> SentEvent | None:
    if event is None:
        return None
    kind = text(event.get("type"), call)
    name = event.get("event")
    if kind == "page":
        name = PAGE_VIEW
    elif kind is not None and kind != "track":
        name = kind
    properties, context = as_object(event.get("properties")), as_object(event.get("context"))
    page = as_object(context.get("page"))
    return SentEvent(
        key=text(caller.basic, caller.write_key, key, event.get("writeKey")),
        event_type=name,
        path=path(properties.get("path"), properties.get("url"), page.get("path"), page.get("url")),
        user_id=user(event.get("userId"), event.get("anonymousId")),
        # The first says when by the server's clock, where an SDK has corrected its own; RudderStack's for Node has
        # only the second.
        timestamp=first_given(event.get("timestamp"), event.get("originalTimestamp")),
        message_id=event.get("messageId"),
        properties=with_properties(
            event.get("properties"),
            {name: event.get(name) for name in KEPT}
            | campaign(page.get("search"))
            | {
                "referrer": page.get("referrer"),
                # RudderStack's for Python has them there only.
                "traits": first_given(event.get("traits"), context.get("traits"))
                if kind in ("identify", "group")
                else None,
            },
        ),
        user_agent=context.get("userAgent"),
    )
