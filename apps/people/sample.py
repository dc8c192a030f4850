"""The person of the documentation's examples: they are in no site and no database, can always be exported, and to erase
them does nothing.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from db.people.receipts import Erasure

USER_ID = "tjra:example-person"
_ASKED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RECEIPT = Erasure(
    erasure_id=UUID("019b7ca9-8f2e-7cc3-98c4-dc0c0c073992"),
    site_id="shop",
    person="0f5d3c6a2b9e4f108d7a6c5b4e3f2a1908f7e6d5c4b3a29180706f5e4d3c2b1a",
    asked_at=_ASKED,
    asked_by="first key",
    begun_at=_ASKED + timedelta(milliseconds=40),
    done_at=_ASKED + timedelta(milliseconds=90),
    erased={
        "events": 17,
        "events_of_others": 2,
        "users": 1,
        "sessions": 3,
        "user_months": 1,
        "orders": 1,
        "dead_letters": 0,
    },
    holds_until=_ASKED + timedelta(days=30),
    vacuumed_at=_ASKED + timedelta(seconds=2),
    redis_rewritten_at=_ASKED + timedelta(seconds=2),
)
_LINES: list[dict[str, object]] = [
    {
        "kind": "person",
        "site_id": "shop",
        "user_id": USER_ID,
        "exported_at": _ASKED,
        "counts": {"user": 1, "event": 1, "session": 0, "month": 0, "order": 0, "erasure": 0, "dead_letter": 0}
        | {"queued_event": 0},
        "queue_searched_in_full": True,
    },
    {"kind": "user", "user_no": 41, "first_seen": _ASKED},
    {
        "kind": "event",
        "event_id": "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f",
        "event_type": "page_view",
        "path": "/products/lamp",
        "event_time": _ASKED,
        "received_at": _ASKED,
        "stored_at": _ASKED,
        "properties": None,
    },
]
EXPORT = b"".join(msgspec.json.encode(line) + b"\n" for line in _LINES)
