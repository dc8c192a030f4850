"""The protocol of Plausible: https://plausible.io/docs/events-api."""

from collections.abc import Iterable
from typing import Any

from apps.events.given import first_given, is_given
from apps.origins.deriving import Told
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import always, campaign, first_path, never
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    SentEvent,
    as_object,
    decode_event,
    decode_value,
    envelope,
    first_text,
    with_properties,
)

#: Time on a page, sent after the page view; it is dropped.
ENGAGEMENT = "engagement"
#: The names of the flag that says that the fragment belongs to the path.
HASHED = ("h", "hashMode", "hashBasedRouting")


def parse(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """One event, with one-letter or long names, for each of its domains."""
    envelope(body)
    sent = decode_event(body)
    if sent is None:
        return [None]
    name, url, referrer = _first(sent, "n", "name"), _first(sent, "u", "url"), _first(sent, "r", "referrer")
    hashed = _first(sent, *HASHED)
    return [
        SentEvent(
            key=domain.strip(),
            event_type=PAGE_VIEW if name == "pageview" else name,
            path=first_path(url, routed=always if hashed in (1, True, "1", "true") else never),
            by_visitor=True,
            properties=with_properties(_properties(sent), {"referrer": referrer} | campaign(url)),
            told=Told(url=url, referrer=referrer),
            ignored=ENGAGEMENT if name == ENGAGEMENT else None,
        )
        for domain in (first_text(_first(sent, "d", "domain")) or "").split(",")
    ]


def _first(sent: dict[str, Any], *names: str) -> Any:
    return first_given(*(sent.get(name) for name in names))


def _properties(sent: dict[str, Any]) -> Any:
    given = _first(sent, "p", "props", "m", "meta")
    if isinstance(given, str):  # plausible-tracker writes JSON in JSON
        given = decode_value(given.encode())
    revenue = as_object(_first(sent, "$", "revenue"))
    # The property names of the revenue report.
    named = {"revenue": revenue.get("amount"), "currency": revenue.get("currency")}
    money = {name: one for name, one in named.items() if is_given(one)}
    return given | money if isinstance(given, dict) else given if is_given(given) else money
