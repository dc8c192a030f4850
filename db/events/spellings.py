"""Spellings that clients use for the same thing: a page view, and an unknown user."""

import re
from functools import lru_cache
from uuid import UUID

PAGE_VIEW = "page_view"
#: Spellings of page views, in lower case and without separators.
PAGE_VIEWS = {"page", "pageview", "pageviewed"}
BETWEEN_WORDS = re.compile(r"[\s_.:$-]+")

#: What programs send as the id of an unknown user, in lower case; most of them PostHog calls illegal ids.
NOBODIES = {
    *("", "0", "-", str(UUID(int=0)), UUID(int=0).hex),
    *(
        "null",
        "(null)",
        "<null>",
        "nil",
        "none",
        "(none)",
        "undefined",
        r"\n",
        "nan",
        "nat",
        "na",
        "n/a",
        "#n/a",
        "<na>",
    ),
    *("[object object]", "true", "false", "(not set)", "anonymous", "guest", "not_authenticated"),
    *("id", "user_id", "userid", "distinct_id", "distinctid", "email"),
}


#: What such an id may end with, in capitals, quotes or before blanks too: with any other character it is somebody's.
ENDS_OF_NOBODIES = frozenset(
    {"", "'", '"'}
    | {case(name[-1:]) for name in NOBODIES for case in (str.lower, str.upper)}
    | {character for character in map(chr, range(0x3001)) if character.isspace()}
)


def usual_type(event_type: str) -> str:
    """The event type; `page_view` for any spelling of it."""
    return event_type if event_type == PAGE_VIEW else _usual_type(event_type)


@lru_cache(maxsize=1024)
def _usual_type(event_type: str) -> str:
    return PAGE_VIEW if BETWEEN_WORDS.sub("", event_type).lower() in PAGE_VIEWS else event_type


def is_nobody(user_id: str) -> bool:
    """Whether an id stands for an unknown user: `null`, `undefined`, `0`, blank, also in quotes."""
    return user_id.strip().strip("'\"").strip().lower() in NOBODIES
