"""The dead letter of the documentation's examples. It can always be opened, and is in no list and no database.

So the examples can be tried where nothing has failed yet. To replay or discard it does nothing.
"""

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from apps.events.endpoints import EVENT_ID, EXAMPLE
from db.dead_letters.read import DeadLetter, LetterHead

_PAYLOAD = msgspec.json.encode(EXAMPLE | {"event_id": EVENT_ID, "timestamp": "2026-01-02T03:04:05.678Z", "path": None})
_LETTER: dict[str, Any] = {
    "id": UUID("5d0c8d6a-0f3f-5f1c-8bb0-c56f1d7f5c9c"),
    "state": "dead",
    "site_id": "shop",
    "event_id": UUID(EVENT_ID),
    "event_type": "page_view",
    "received_at": datetime(2026, 1, 2, 3, 4, 5, 700_000, UTC),
    "queue": "events",
    "message_id": UUID("019b7ca9-8f2e-7cc3-98c4-dc0c0c073990"),
    "error": 'null value in column "path" of relation "events" violates not-null constraint',
    "sqlstate": "23502",
    "attempts": 1,
    "failed_at": datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
    "changed_at": None,
    "payload_bytes": len(_PAYLOAD),
}
HEAD = LetterHead(**_LETTER)
LETTER = DeadLetter(**_LETTER, payload=msgspec.Raw(_PAYLOAD), payload_base64=base64.b64encode(_PAYLOAD).decode())
