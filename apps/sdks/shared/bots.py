"""Bots: crawlers and headless browsers, told by their user agents, from the list of the package crawler-user-agents.

The list is a community's: a pattern in it may match a phone's name or an app's browser, and whom it matches are people
who buy something. tests/apps/sdks/test_bots.py holds it against the browsers of people (tests/builders/browsers.py):
a pattern that matches one of them has to be named here. And whatever the list says, nothing that carries money is
dropped.
"""

import re
from functools import lru_cache
from typing import Any

from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]

from apps.events.given import is_given
from apps.sdks.shared.sdk_event import SentEvent
from db.reports.revenue import ORDERS, REFUNDS

#: Characters of a user agent that are looked at: the time that the list takes grows with them.
LOOKED_AT = 400
#: How a user agent begins that claims to be a browser, as crawlers do that run a page's scripts.
BROWSER = "Mozilla/"
#: Patterns of the list that match browsers of people too; instead of each, what only the bot sends, if there is such.
NARROWED = {
    r"AP3A\.240617\.008": None,  # a build of Android 15 that is on millions of phones
    r"MetaIAB Facebook": None,  # the browser inside Facebook's and Instagram's apps
    r"Code\/1\.": None,  # the browser inside an editor
    r"Fluid": None,  # makes an app of one site, for a person
    r"Sogou": r"Sogou[ \w]*[sS]pider",  # SogouMobileBrowser
    r"coccoc": r"coccoc(bot|/)",  # coccocbrowser, much used in Vietnam
    r"Freespoke\/": r"compatible; Freespoke/",  # a browser of that name
    r"WhatsApp": r"^WhatsApp",  # what follows a link from its apps
    r"Viber": r"^Viber",  # the same
    r"Blackboard": r"^Blackboard",  # the same
    r"Notion\/": r"^Notion/",  # the same
    r"RED\/": r"^RED/",  # the app of WIRED
    r"Sonic": r"RankSonic|\bSonic/",  # ViewSonic's tablets, Cherry's phone Sonic
    r"Butterfly": r"\bButterfly/",  # a phone of HTC
    r"Fever": r"^Fever/",  # a phone of Wiko
    r"Expanse": r"^Expanse,",  # a phone
    r"008\/": r"(^|compatible; )008/",  # the end of an id that Baidu's app sends
}
#: What tells of money, besides the event types of orders and refunds.
MONEY = ("revenue", "total", "order_id")
#: Patterns that are searched for together: the more there are in one expression, the slower it is.
TOGETHER = 25


def is_bot(*, visitor: Any, caller: str) -> bool:
    """Whether a bot caused an event: by the user agent of the `visitor` that it carries, else by who sent it.

    Programs that send events for others, such as a shop's server with its python-requests, are no bots: of who sent
    it, only what claims to be a browser can be one.
    """
    if isinstance(visitor, str) and visitor:
        return is_listed(visitor[:LOOKED_AT])
    return caller.startswith(BROWSER) and is_listed(caller[:LOOKED_AT])


def carries_money(sent: SentEvent) -> bool:
    """Whether an event is an order or a refund, or has what only these have."""
    if isinstance(sent.event_type, str) and sent.event_type in (*ORDERS, *REFUNDS):
        return True
    properties = sent.properties if isinstance(sent.properties, dict) else {}
    return any(is_given(properties.get(name)) for name in MONEY)


@lru_cache(maxsize=4096)
def is_listed(user_agent: str) -> bool:
    """Whether the list knows it as a bot's."""
    # Some 0.3 ms for a browser that is in no list.
    return any(part.search(user_agent) for part in PARTS)


def patterns() -> list[str]:
    """The list, narrowed."""
    listed = (NARROWED.get(bot["pattern"], bot["pattern"]) for bot in CRAWLER_USER_AGENTS_DATA)
    return [pattern for pattern in listed if pattern]


def _together(patterns: list[str]) -> list[re.Pattern[str]]:
    starts = range(0, len(patterns), TOGETHER)
    return [re.compile("|".join(f"(?:{one})" for one in patterns[start : start + TOGETHER])) for start in starts]


PARTS = _together(patterns())
