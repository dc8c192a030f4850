"""The protocol of Plausible: https://plausible.io/docs/events-api."""

from collections.abc import Iterable
from typing import Any

from apps.events.given import first_given, is_given
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.event_path import always, campaign, never, path
from apps.sdks.shared.sdk_event import (
    PAGE_VIEW,
    SentEvent,
    as_object,
    envelope,
    event,
    text,
    value,
    with_properties,
)

#: How long a page was looked at: sent after the page view, and no event of ours.
ENGAGEMENT = "engagement"
#: The names of what says that the path goes on behind `#`.
HASHED = ("h", "hashMode", "hashBasedRouting")


def parse(body: bytes, _: Caller) -> Iterable[SentEvent | None]:
    """One event with names of one letter or long ones, for each of its domains."""
    envelope(body)
    sent = event(body)
    if sent is None:
        return [None]
    name, url, referrer = _first(sent, "n", "name"), _first(sent, "u", "url"), _first(sent, "r", "referrer")
    hashed = _first(sent, *HASHED)
    return [
        SentEvent(
            key=domain.strip(),
            event_type=PAGE_VIEW if name == "pageview" else name,
            path=path(url, routed=always if hashed in (1, True, "1", "true") else never),
            by_visitor=True,
            properties=with_properties(_properties(sent), {"referrer": referrer} | campaign(url)),
            ignored=ENGAGEMENT if name == ENGAGEMENT else None,
        )
        for domain in (text(_first(sent, "d", "domain")) or "").split(",")
    ]


def _first(sent: dict[str, Any], *names: str) -> Any:
    return first_given(*(sent.get(name) for name in names))


def _properties(sent: dict[str, Any]) -> Any:
    given = _first(sent, "p", "props", "m", "meta")
    if isinstance(given, str):  # plausible-tracker writes JSON in JSON
        given = value(given.encode())
    revenue = as_object(_first(sent, "$", "revenue"))
    # The names by which the revenue report knows them.
    named = {"revenue": revenue.get("amount"), "currency": revenue.get("currency")}
    money = {name: one for name, one in named.items() if is_given(one)}
    return given | money if isinstance(given, dict) else given if is_given(given) else money
