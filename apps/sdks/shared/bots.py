"""Detect bots (crawlers and headless browsers) by their user agents, with the list of crawler-user-agents.

The list is maintained by a community: a pattern may match the name of a phone or an app's browser, and so drop events
of customers. tests/apps/sdks/test_bots.py checks the list against browsers of people (tests/builders/browsers.py); a
pattern that matches one of them must be narrowed here. Events with an amount of money are never dropped.
"""

import re
from functools import lru_cache
from typing import Any

from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]

from apps.events.given import is_given
from apps.sdks.shared.sdk_event import SentEvent
from db.reports.revenue import ORDERS, REFUNDS

#: Characters of a user agent that are checked: the time of a check grows with them.
CHECKED_CHARACTERS = 400
#: The beginning of a user agent that claims to be a browser, as crawlers that run a page's scripts do.
BROWSER = "Mozilla/"
#: Patterns of the list that also match browsers of people, with a replacement that only the bot matches, or None.
NARROWED = {
    r"AP3A\.240617\.008": None,  # a build of Android 15 that is on millions of phones
    r"MetaIAB Facebook": None,  # the browser inside Facebook's and Instagram's apps
    r"Code\/1\.": None,  # the browser inside an editor
    r"Fluid": None,  # makes an app of one site, for a person
    r"Sogou": r"Sogou[ \w]*[sS]pider",  # SogouMobileBrowser
    r"coccoc": r"coccoc(bot|/)",  # coccocbrowser, much used in Vietnam
    r"Freespoke\/": r"compatible; Freespoke/",  # a browser of that name
    r"WhatsApp": r"^WhatsApp",  # the browser that opens links in its apps
    r"Viber": r"^Viber",  # as WhatsApp
    r"Blackboard": r"^Blackboard",  # as WhatsApp
    r"Notion\/": r"^Notion/",  # as WhatsApp
    r"RED\/": r"^RED/",  # the app of WIRED
    r"Sonic": r"RankSonic|\bSonic/",  # ViewSonic's tablets, Cherry's phone Sonic
    r"Butterfly": r"\bButterfly/",  # a phone of HTC
    r"Fever": r"^Fever/",  # a phone of Wiko
    r"Expanse": r"^Expanse,",  # a phone
    r"008\/": r"(^|compatible; )008/",  # the end of an id that Baidu's app sends
}
#: Properties that mark an event with an amount of money, besides the event types of orders and refunds.
MONEY = ("revenue", "total", "order_id")
#: Patterns per regular expression: larger expressions are slower.
PATTERNS_PER_EXPRESSION = 25


def is_bot(*, visitor: Any, caller: str) -> bool:
    """Whether a bot caused an event: by the `visitor`'s user agent in the event, otherwise by the sender's.

    Programs that send events for others, such as a shop's server with python-requests, are not bots: a sender can be a
    bot only if it claims to be a browser.
    """
    if isinstance(visitor, str) and visitor:
        return is_listed(visitor[:CHECKED_CHARACTERS])
    return caller.startswith(BROWSER) and is_listed(caller[:CHECKED_CHARACTERS])


def carries_money(sent: SentEvent) -> bool:
    """Whether an event is an order or a refund, or has a property that only these have."""
    if isinstance(sent.event_type, str) and sent.event_type in (*ORDERS, *REFUNDS):
        return True
    properties = sent.properties if isinstance(sent.properties, dict) else {}
    return any(is_given(properties.get(name)) for name in MONEY)


@lru_cache(maxsize=4096)
def is_listed(user_agent: str) -> bool:
    """Whether the list has this user agent as a bot's. Cached: a search of the whole list is slow."""
    return any(expression.search(user_agent) for expression in EXPRESSIONS)


def patterns() -> list[str]:
    """The patterns of the list, with NARROWED applied."""
    listed = (NARROWED.get(bot["pattern"], bot["pattern"]) for bot in CRAWLER_USER_AGENTS_DATA)
    return [pattern for pattern in listed if pattern]


def _compiled(patterns: list[str]) -> list[re.Pattern[str]]:
    size = PATTERNS_PER_EXPRESSION
    groups = [patterns[start : start + size] for start in range(0, len(patterns), size)]
    return [re.compile("|".join(f"(?:{pattern})" for pattern in group)) for group in groups]


EXPRESSIONS = _compiled(patterns())
