"""What happened in some shops, by chance that is the same each time: `History(seed=1).flushes()`.

Users, visitors of theirs and nobody, sessions from here and there, orders and refunds that are right, repeated or not
to be counted, late events, resent ones.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from db.events.event import ReceivedEvent
from db.store.events import Message
from tests.builders.factories import batch, received

#: The shops and their timezones.
SITES = {
    "berlin": "Europe/Berlin",
    "calcutta": "Asia/Kolkata",
    "havana": "America/Havana",
    "london": "UTC",
    "sydney": "Australia/Sydney",
}
PATHS = ["/", "/cart", "/thanks", *(f"/products/{number}" for number in range(60))]
TYPES = ["page_view"] * 12 + ["click"] * 4 + ["search"] * 2 + ["purchase", "Order Completed", "refund", "sign_up"]
AGENTS = [None, {"device": "mobile", "country": "DE", "browser": "Safari"}, {"device": "desktop", "os": "Windows"}]
ORIGINS = [
    None,
    None,
    {"source": "google", "medium": "cpc", "campaign": "lamps", "channel": "Paid Search"},
    {"source": "newsletter", "medium": "email", "channel": "Email"},
    {"referrer": "blog.example", "source": "blog.example", "channel": "Referral"},
]
SALES = {"purchase", "Order Completed", "refund"}
#: Days that it goes back, and those of them that most of it happened on.
DAYS, RECENT = 160, 25
#: Events of a message, and messages of a flush.
EVENTS, MESSAGES = 500, 10


class History:
    """Events up to the hour that `now` is in."""

    def __init__(self, *, now: datetime, events: int, days: int = DAYS, seed: int = 1) -> None:
        self.days = days
        self.random = random.Random(seed)
        self.now = now.replace(minute=0, second=0, microsecond=0)
        self.events = sorted(self._made(events), key=lambda one: one.timestamp)

    def flushes(self) -> Iterator[list[Message]]:
        """The messages of each flush: nearly in order of time, but a sixth late, and some events once more."""
        late: list[ReceivedEvent] = []
        timely: list[ReceivedEvent] = []
        for one in self.events:
            (late if self.random.random() < 1 / 6 else timely).append(one)
        self.random.shuffle(late)
        again = self.random.sample(self.events, len(self.events) // 50)
        each = EVENTS * MESSAGES
        count = -(-len(timely) // each)
        for number in range(count):
            flush = timely[number * each : (number + 1) * each]
            flush += late[number::count] + again[number::count]
            self.random.shuffle(flush)
            yield [self._message(flush[start : start + EVENTS]) for start in range(0, len(flush), EVENTS)]

    def of(self, flush: list[Message]) -> list[ReceivedEvent]:
        """The events of a flush."""
        return [one for message in flush for one in msgspec.json.decode(message.events, type=list[ReceivedEvent])]

    def _message(self, events: list[ReceivedEvent]) -> Message:
        return Message(str(self._uuid()), batch(*events))

    def _made(self, events: int) -> list[ReceivedEvent]:
        made: list[ReceivedEvent] = []
        while len(made) < events:
            made += self._session()
        return made[:events]

    def _session(self) -> list[ReceivedEvent]:
        choose = self.random
        site = choose.choice(list(SITES))
        user = None if choose.random() < 0.2 else f"user {int(choose.expovariate(1 / 300))}"
        who = {"user_id": user} | choose.choice(
            [{}, {"visitor_id": f"visitor {user}"}, {"user_id": None, "visitor_id": f"visitor {user}"}]
        )
        sent_with = {"agent": choose.choice(AGENTS), "origin": choose.choice(ORIGINS)}
        days = RECENT if choose.random() < 0.7 else self.days
        moment = self.now - timedelta(seconds=choose.uniform(0, days * 86_400))
        session = []
        for _ in range(min(int(choose.expovariate(1 / 5)) + 1, 40)):
            kind = choose.choice(TYPES)
            fields: dict[str, Any] = {**who, "event_type": kind, "path": choose.choice(PATHS), **sent_with}
            if choose.random() < 0.5:
                fields["event_id"] = str(self._uuid())
            if kind in SALES or choose.random() < 0.3:
                fields["properties"] = self._sale() if kind in SALES else self._properties()
            if choose.random() < 0.05:
                moment = moment.replace(microsecond=0)
            session.append(received(site, timestamp=moment.isoformat(), **fields))
            moment += timedelta(seconds=choose.choice([0, choose.uniform(1, 600), choose.uniform(60, 2_400)]))
            if moment > self.now:
                break
        return session

    def _sale(self) -> dict[str, Any]:
        choose = self.random
        sale: dict[str, Any] = {
            "order_id": f"order {choose.randrange(4_000)}",
            "revenue": choose.choice([round(choose.uniform(-5, 300), 2), "19.90", None, "much"]),
            "currency": choose.choice(["EUR", "usd", "INR", "JPY", None]),
            "products": [
                {
                    "product_id": f"lamp {choose.randrange(30)}",
                    "name": choose.choice(["Lamp", "Lämpchen", None]),
                    "price": choose.choice([19.9, "7.50", -1, None]),
                    "quantity": choose.choice([1, 2, None, "many"]),
                }
                for _ in range(choose.randrange(4))
            ],
        }
        if choose.random() < 0.1:
            del sale["order_id"]
        return {name: value for name, value in sale.items() if value is not None}

    def _properties(self) -> dict[str, Any]:
        choose = self.random
        return {
            "plan": choose.choice(["free", "paid"]),
            "seats": choose.randrange(20),
            "deep": {"colour": choose.choice(["red", "green", "blue"])},
        }

    def _uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)


def unsound(site: str, moment: datetime) -> bytes:
    """Events of which two cannot be stored, whatever the database; the second can once its type is mended."""
    good = msgspec.json.decode(batch(received(site, path="/good")))[0] | {"timestamp": moment.isoformat()}
    earlier = (moment - timedelta(days=70)).isoformat()
    return msgspec.json.encode(
        [
            good,
            {**good, "event_id": str(UUID(int=17)), "path": "/bad\0"},
            {**good, "event_id": str(UUID(int=18)), "timestamp": earlier, "event_type": "x" * 200},
        ]
    )
