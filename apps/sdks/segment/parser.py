"""The protocol of Segment, which RudderStack and Jitsu use too: https://segment.com/docs/connections/sources/."""

from collections.abc import Iterable
from typing import Any

from apps.events.given import first_given, is_given
from apps.origins.deriving import Told
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import campaign, first_path
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    UNKNOWN_TYPE,
    SentEvent,
    as_object,
    decode_array,
    decode_event,
    decode_value,
    envelope,
    first_id,
    first_text,
    read_address,
    with_properties,
)

#: The calls by the letters that Segment's browser SDK has in its URLs.
CALLS = {"t": "track", "p": "page", "i": "identify", "g": "group", "a": "alias", "s": "screen"}
#: Members of an event that become properties.
TO_PROPERTIES = ("name", "category", "groupId", "previousId")


def parse_batch(body: bytes, caller: Caller) -> Iterable[SentEvent | None]:
    """`{"batch": [...], "writeKey": "...", "sentAt": "...", "context": {...}}`; the context belongs to every event."""
    around = envelope(body)
    if not bytes(around.batch):
        raise ValueError("batch is missing")
    key, sent_at = (
        first_text(decode_value(around.write_key), caller.query.get("writeKey")),
        decode_value(around.sent_at),
    )
    context = as_object(decode_value(around.context))
    return (
        _sent_event(decode_event(raw), caller, key=key, call=None, sent_at=sent_at, context=context)
        for raw in decode_array(around.batch)
    )


def parse_call(body: bytes, caller: Caller, *, call: str) -> Iterable[SentEvent | None]:
    """One event, whose type is in the URL too."""
    key = first_text(decode_value(envelope(body).write_key), caller.query.get("writeKey"))
    return [_sent_event(decode_event(body), caller, key=key, call=call, sent_at=None, context={})]


def _sent_event(
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
    page, address = as_object(context.get("page")), read_address(context.get("ip"))
    user_id = first_id(event.get("userId"))
    told = _told(properties, context, page, address)
    previous = event.get("previousId") if kind == "alias" else None
    return SentEvent(
        key=first_text(caller.basic, caller.write_key, key, event.get("writeKey")),
        event_type=name,
        path=first_path(properties.get("path"), properties.get("url"), page.get("path"), page.get("url")),
        user_id=user_id,
        visitor_id=first_id(previous, event.get("anonymousId")),
        by_visitor=address is not None and user_id is None,
        # An SDK may have corrected `timestamp` to the server's clock; RudderStack's for Node has only the second one.
        timestamp=first_given(event.get("timestamp"), event.get("originalTimestamp")),
        # An event with receivedAt, such as one from an archive, was already corrected by a server.
        sent_at=None if is_given(event.get("receivedAt")) else first_given(sent_at, event.get("sentAt")),
        message_id=event.get("messageId"),
        properties=with_properties(
            event.get("properties"),
            {name: event.get(name) for name in TO_PROPERTIES}
            | (campaign(page.get("search")) or campaign(page.get("url")))
            | {
                "referrer": page.get("referrer"),
                # RudderStack's SDK for Python has them in the context only.
                "traits": first_given(event.get("traits"), context.get("traits"))
                if kind in ("identify", "group")
                else None,
            },
        ),
        address=address,
        user_agent=context.get("userAgent"),
        told=told,
        ignored=None if kind is None or kind in CALLS.values() else UNKNOWN_TYPE,
    )


def _told(properties: dict[str, Any], context: dict[str, Any], page: dict[str, Any], address: str | None) -> Told:
    """What the context says of the visitor: https://segment.com/docs/connections/spec/common/#context."""
    url, search = first_given(page.get("url"), properties.get("url")), page.get("search")
    if isinstance(url, str) and isinstance(search, str) and "?" not in url:
        url += search
    campaign = as_object(context.get("campaign"))
    return Told(
        url=first_given(url, search),
        referrer=first_given(page.get("referrer"), properties.get("referrer")),
        campaign={f"utm_{'campaign' if name == 'name' else name}": one for name, one in campaign.items()},
        user_agent=context.get("userAgent"),
        language=context.get("locale"),
        timezone=context.get("timezone"),
        country=as_object(context.get("location")).get("country"),
        address=address,
        device=as_object(context.get("device")).get("type"),
        os=as_object(context.get("os")).get("name"),
    )
