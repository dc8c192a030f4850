"""Bots: crawlers and headless browsers, told by their user agents, from the list of the package crawler-user-agents."""

from functools import lru_cache
from typing import Any

from crawleruseragents import is_crawler  # type: ignore[import-untyped]

#: Characters of a user agent that are looked at: the time that the list takes grows with them.
LOOKED_AT = 400
#: How a user agent begins that claims to be a browser, as crawlers do that run a page's scripts.
BROWSER = "Mozilla/"


def is_bot(*, visitor: Any, caller: str) -> bool:
    """Whether a bot caused an event: by the user agent of the `visitor` that it carries, else by who sent it.

    Programs that send events for others, such as a shop's server with its python-requests, are no bots: of who sent
    it, only what claims to be a browser can be one.
    """
    if isinstance(visitor, str) and visitor:
        return _is_listed(visitor[:LOOKED_AT])
    return caller.startswith(BROWSER) and _is_listed(caller[:LOOKED_AT])


@lru_cache(maxsize=4096)
def _is_listed(user_agent: str) -> bool:
    # Some 0.3 ms for a browser that is in no list.
    return bool(is_crawler(user_agent))


_is_listed("")  # compiles the list now, not while the first request waits
