"""Writes the events of a site: visits, orders, what comes late, what comes again, what lies exactly on a bound."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db.events.event import ReceivedEvent

#: Whole hours, odd offsets, clocks that are changed by an hour, by half of one, and over a midnight.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/New_York",
    "Atlantic/Azores",
)
TYPES = ["page_view"] * 11 + ["click"] * 4 + ["add_to_cart"] * 2 + ["purchase"] * 2 + ["refund", "signup"]
PATHS = ["/", "/", "/a", "/b", "/cart", "/ä.b", "/account/user-001", *(f"/products/{number}" for number in range(12))]
PROPERTIES: list[dict[str, Any] | None] = [
    None,
    None,
    {},
    {"plan": "free", "email": "anna@example.com", "deep": {"phone": "1", "x": 1}},
    {"plan": "paid", "seats": 3},
    {"seats": 12.5},
    {"deep": {"a": ["x", "y"]}},
]
MICROSECOND = timedelta(microseconds=1)
#: As db.events.event.made_id writes ids of ours.
OURS = "7e1d-9e1d"


def account_of(user: str) -> str:
    """The page of a user's account."""
    return f"/account/{user}"


class EventAuthor:
    """Writes events of one site."""

    def __init__(self, random: Random, site: str, timezone: str, *, crowds: bool) -> None:
        self.random = random
        self.site = site
        self.timezone = timezone
        self.users = [f"user-{number:03}" for number in range(random.choice([4, 60, 400]))]
        self.crowd = random.choice([0, 0, 0, 9_000]) if crowds else 0
        #: How late events may be, in hours; some sites have some that are years late.
        self.longest = [4, 30, 30, 24 * 9, 24 * 9, 24 * 40, 24 * 120, random.choice([24, 24, 24 * 900])]
        # By chance of their own: how many are anonymous, log in later, and share a device.
        self.visiting = Random(f"{random.random()} visits")
        visitors = [f"visitor-{number:02}" for number in range(self.visiting.choice([3, 12, 60]))]
        self.visitors = visitors + ["user-001", "user-002"] * (len(visitors) // 12)
        self.owners = {visitor: self.visiting.choice(self.users) for visitor in self.visitors}
        self.late = False
        self.written: list[ReceivedEvent] = []
        self.last: dict[str | None, datetime] = {}

    def write(self, now: datetime, *, about: int) -> list[ReceivedEvent]:
        """About so many events that arrive now, some of them not for the first time."""
        found = []
        # Seldom, as a message with one that is no longer kept is stored event by event.
        self.late = self.random.random() < 0.3
        before = self.written[-400:]
        for _ in range(about):
            if before and self.random.random() < 0.12:
                found.append(self.again(self.random.choice(before), now))
            else:
                found.append(self._event(now))
        if self.crowd and self.random.random() < 0.05:
            users, self.crowd = self.crowd, 0
            moment = self._moment(now, None)
            found += [self._event(now, user=f"one of many {number}", moment=moment) for number in range(users)]
        return found

    def again(self, event: ReceivedEvent, now: datetime) -> ReceivedEvent:
        """The same event once more: as it was, or (its id is the same) with another time, order or path."""
        changes: list[dict[str, Any]] = [
            {},
            {},
            {"timestamp": event.timestamp + MICROSECOND},
            {"timestamp": self._moment(now, event.user_id)},
            {"path": "/again"},
            {"properties": {"order_id": "again", "revenue": 1, "currency": "EUR"}},
        ]
        # Who sends an id of ours has it from our answer.
        return msgspec.structs.replace(event, id_made=False, received_at=now, **self.random.choice(changes))

    def bound(self, moment: datetime) -> datetime:
        """The begin of an hour, a day, a week, a sixth of a month, a month or a partition, before a moment."""
        zone = self.random.choice([ZoneInfo(self.timezone), UTC])
        local = moment.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        kind = self.random.choice(["hour", "day", "week", "sixth", "month"])
        if kind != "hour":
            local = local.replace(hour=0)
        if kind == "week":
            local = (local.replace(tzinfo=None) - timedelta(days=local.weekday())).replace(tzinfo=zone)
        elif kind == "sixth":
            local = local.replace(day=1 + min((local.day - 1) // 5, 5) * 5)
        elif kind == "month":
            local = local.replace(day=1)
        return local.astimezone(UTC)

    def _moment(self, now: datetime, user: str | None) -> datetime:
        """When it happened that arrives now: just now, or late by hours, weeks or years, or exactly at a bound."""
        dice = self.random.random()
        if user in self.last and dice < 0.25:  # at, just before or just after the end of a session
            edge = self.last[user] + timedelta(minutes=30)
            return min(edge + self.random.choice([-1, 0, 1, -10_000_000]) * MICROSECOND, now)
        if dice < 0.6:
            return now - timedelta(minutes=90) * self.random.random() ** 2
        if dice < 0.75:
            back = timedelta(days=self.random.choice([0, 1, 3, 10, 35, 80] if self.late else [0, 0, 1, 3]))
            return self.bound(now - back) + self.random.choice([-1, 0, 0, 1]) * MICROSECOND
        return now - timedelta(hours=self.random.choice(self.longest if self.late else [4, 30])) * self.random.random()

    def _event(self, now: datetime, *, user: str | None = None, moment: datetime | None = None) -> ReceivedEvent:
        user = user or (None if self.random.random() < 0.2 else self.random.choice(self.users))
        moment = moment or self._moment(now, user)
        sender, visitor = self._who(user)
        event_type = self.random.choice(TYPES)
        id_made = self.random.random() < 0.5
        number = UUID(int=self.random.getrandbits(128), version=4)
        event = ReceivedEvent(
            site_id=self.site,
            event_type=event_type,
            path=self.random.choice(PATHS),
            user_id=sender,
            visitor_id=visitor,
            timestamp=moment,
            event_id=f"{str(number)[:14]}{OURS}{str(number)[23:]}" if id_made else str(number),
            received_at=now,
            properties=self._properties(event_type, public=number.int % 16 == 0),
            id_made=id_made,
        )
        self.written.append(event)
        self.last[user] = moment
        return event

    def _who(self, user: str | None) -> tuple[str | None, str | None]:
        """Who sends an event, and from where: in place of this user perhaps a visitor, known or not."""
        dice, visitor = self.visiting.random(), self.visiting.choice(self.visitors)
        if dice < 0.4 or user not in self.users:
            return user, None
        if dice < 0.75:
            return None, visitor
        if dice < 0.93:
            return self.owners[visitor], visitor
        if dice < 0.98:  # somebody else at a shared device
            return user, visitor
        return visitor, self.visiting.choice([visitor, None])

    def _properties(self, event_type: str, *, public: bool) -> dict[str, Any] | None:
        """The properties of an event, marked if it came without the secret key that its site wants."""
        if event_type not in ("purchase", "refund"):
            return self.random.choice(PROPERTIES)
        return self._sale() | ({"public_key": True} if public else {})

    def _sale(self) -> dict[str, Any]:
        """An order's or a refund's properties; the same orders come again, some with another total."""
        properties: dict[str, Any] = {
            "revenue": self.random.choice([10, 19.9, "25", 0, -1, "?", None]),
            "currency": self.random.choice(["EUR", "EUR", "usd", "chf ", "Euro", None]),
        }
        if self.random.random() < 0.8:
            properties["order_id"] = f"order-{self.random.randint(1, 60)}"
        if self.random.random() < 0.6:
            properties["products"] = [
                {
                    "product_id": self.random.choice(["lamp", "chair", None]),
                    "name": self.random.choice(["Lamp", "Chair"]),
                    "price": self.random.choice([2, 7.5, "4.25", -1, None]),
                    "quantity": self.random.choice([1, 3, "2", None, -1]),
                }
                for _ in range(self.random.randint(1, 3))
            ]
        return properties
