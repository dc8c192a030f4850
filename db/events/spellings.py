"""What senders call the same thing: a page view, and nobody."""

import re
from functools import lru_cache
from uuid import UUID

PAGE_VIEW = "page_view"
#: Of page views, without capitals and without what stands between words.
PAGE_VIEWS = {"page", "pageview", "pageviewed"}
BETWEEN_WORDS = re.compile(r"[\s_.:$-]+")

#: What programs write as a user's id where they know none, without capitals: most are what PostHog calls illegal ids.
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


def usual_type(event_type: str) -> str:
    """An event type, `page_view` where it is another spelling of that."""
    return event_type if event_type == PAGE_VIEW else _usual_type(event_type)


@lru_cache(maxsize=1024)
def _usual_type(event_type: str) -> str:
    return PAGE_VIEW if BETWEEN_WORDS.sub("", event_type).lower() in PAGE_VIEWS else event_type


def is_nobody(user_id: str) -> bool:
    """Whether an id is what programs write where they know no user: `null`, `undefined`, `0`, blank, also in quotes."""
    return user_id.strip().strip("'\"").strip().lower() in NOBODIES
