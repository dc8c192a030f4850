"""The steps of a life, as data: a list of them is a life that can be lived again, shortened, and kept as a test."""

from datetime import datetime
from typing import Literal

import msgspec

from db.events.event import ReceivedEvent
from db.rollups.advance import Rollup

#: What happens to a flush: it is done; its worker dies before the commit, or before it acknowledges; or it is killed at
#: some moment, which is one of the two.
Fate = Literal["done", "lost", "not acknowledged", "killed"]


class Message(msgspec.Struct):
    """A message of the queue."""

    id: str
    events: list[ReceivedEvent]


class Step(msgspec.Struct, kw_only=True, tag=True):
    """Something that happens at a moment."""

    at: datetime


class Store(Step, kw_only=True, tag=True):
    """A worker stores messages in one flush; whatever becomes of it, they are delivered until they are acknowledged."""

    messages: list[Message]
    fate: Fate = "done"


class StoreTogether(Step, kw_only=True, tag=True):
    """Two workers store at once."""

    first: list[Message]
    second: list[Message]


class Advance(Step, kw_only=True, tag=True):
    """Maintenance moves rollups on, by so many parts at most (None: all there is to do)."""

    rollups: list[Rollup]
    parts: int | None = None
    most: int = 50_000
    killed: bool = False
    """Whether the worker dies before the commit of the last part."""


class Rebuild(Step, kw_only=True, tag=True):
    """Somebody rebuilds a site while events are stored; `statements`: killed after so many (None: not killed)."""

    site: str
    meanwhile: list[Message]
    statements: int | None = None


class ChangeTimezone(Step, kw_only=True, tag=True):
    """Somebody gives a site another timezone."""

    site: str
    timezone: str


class SetRetention(Step, kw_only=True, tag=True):
    """RETENTION_DAYS is set, raised, lowered or (None) unset."""

    days: int | None


class Retain(Step, kw_only=True, tag=True):
    """Maintenance drops what is no longer kept."""


class SetSiteRetention(Step, kw_only=True, tag=True):
    """A site's own retention is set, raised, lowered or (None) unset."""

    site: str
    days: int | None


class RetainSites(Step, kw_only=True, tag=True):
    """Maintenance deletes what sites no longer keep by their own retention, about so many events at once; `killed`: it
    is killed at some moment, and comes again."""

    most: int = 10_000
    killed: bool = False


class Forget(Step, kw_only=True, tag=True):
    """Maintenance forgets settled messages, the ids of events and links of visitors, and makes partitions ahead."""


class Bury(Step, kw_only=True, tag=True):
    """A message becomes dead letters, for a reason that is none of its events'."""

    message: Message


class Replay(Step, kw_only=True, tag=True):
    """Somebody replays all dead letters of a site."""

    site: str


class Erase(Step, kw_only=True, tag=True):
    """A person is erased of whom events may wait in the queue: they were accepted before, and are stored beside it or
    after it. `killed`: the first worker dies at some moment."""

    site: str
    person: str
    waiting: list[Message]
    fate: Literal["done", "killed", "beside"] = "done"


class Replan(Step, kw_only=True, tag=True):
    """PostgreSQL plans reports otherwise: settings of theirs, and whether statistics are made anew."""

    settings: dict[str, str]
    analyze: bool = False


AnyStep = (
    Store
    | StoreTogether
    | Advance
    | Rebuild
    | ChangeTimezone
    | SetRetention
    | Retain
    | SetSiteRetention
    | RetainSites
    | Forget
    | Bury
    | Replay
    | Erase
    | Replan
)


class Life(msgspec.Struct, kw_only=True):
    """A life: its sites with their timezones, what happens to them, and the seed of the questions that are asked."""

    seed: int
    sites: dict[str, str]
    steps: list[AnyStep]
    landed: int = 0
    """So many of the first steps happen to a database with the schema of the version before this one; 0: none."""


def snake(name: str) -> str:
    """A step's name as that of a function."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
