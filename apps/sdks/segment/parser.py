"""The protocol of Segment, which RudderStack and Jitsu speak too: https://segment.com/docs/connections/sources/."""

from collections.abc import Iterable
from typing import Any

from apps.events.given import first_given, is_given
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import campaign, path
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    UNKNOWN_TYPE,
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

#: The calls, and the letters by which Segment's browser SDK names them in its URLs.
CALLS = {"t": "track", "p": "page", "i": "identify", "g": "group", "a": "alias", "s": "screen"}
#: Members of an event that say what no other field of ours does.
KEPT = ("name", "category", "groupId", "previousId")


def parse_batch(body: bytes, caller: Caller) -> Iterable[SentEvent | None]:
    """`{"batch": [...], "writeKey": "...", "sentAt": "...", "context": {...}}`; that context is of every event."""
    around = envelope(body)
    if not bytes(around.batch):
        raise ValueError("batch is missing")
    key, sent_at = text(value(around.write_key), caller.query.get("writeKey")), value(around.sent_at)
    context = as_object(value(around.context))
    return [
        _meant(event(raw), caller, key=key, call=None, sent_at=sent_at, context=context)
        for raw in elements(around.batch)
    ]


def parse_call(body: bytes, caller: Caller, *, call: str) -> Iterable[SentEvent | None]:
    """One event, whose kind the URL tells too."""
    key = text(value(envelope(body).write_key), caller.query.get("writeKey"))
    return [_meant(event(body), caller, key=key, call=call, sent_at=None, context={})]


def _meant(
    event: dict[str, Any] | None, caller: Caller, *, key: Any, call: str | None, sent_at: Any, context: dict[str, Any]
) -> SentEvent | None:
    if event is None:
        return None
    kind = first_given(event.get("type"), call)
    if isinstance(kind, str):
        kind = kind.strip().lower()
    name = event.get("event")
    if kind == "page":
        name = PAGE_VIEW
    elif kind is not None and kind != "track":
        name = kind
    properties, context = as_object(event.get("properties")), context | as_object(event.get("context"))
    page, visitor = as_object(context.get("page")), address(context.get("ip"))
    return SentEvent(
        key=text(caller.basic, caller.write_key, key, event.get("writeKey")),
        event_type=name,
        path=path(properties.get("path"), properties.get("url"), page.get("path"), page.get("url")),
        user_id=user(event.get("userId"), event.get("anonymousId")),
        by_visitor=visitor is not None,
        # The first says when by the server's clock, where an SDK has corrected its own; RudderStack's for Node has
        # only the second.
        timestamp=first_given(event.get("timestamp"), event.get("originalTimestamp")),
        # What a server received before, as in an archive, it has corrected.
        sent_at=None if is_given(event.get("receivedAt")) else first_given(sent_at, event.get("sentAt")),
        message_id=event.get("messageId"),
        properties=with_properties(
            event.get("properties"),
            {name: event.get(name) for name in KEPT}
            | (campaign(page.get("search")) or campaign(page.get("url")))
            | {
                "referrer": page.get("referrer"),
                # RudderStack's for Python has them there only.
                "traits": first_given(event.get("traits"), context.get("traits"))
                if kind in ("identify", "group")
                else None,
            },
        ),
        address=visitor,
        user_agent=context.get("userAgent"),
        ignored=None if kind is None or kind in CALLS.values() else UNKNOWN_TYPE,
    )
