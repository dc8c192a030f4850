"""Writes lives: `write_life(seed, events=10_000)`. Pure: the same seed is the same life, whatever a database does."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import get_args
from uuid import UUID

from db.events.event import ReceivedEvent
from db.rollups.advance import Rollup
from tests.life.look import PLANS
from tests.life.writing import steps
from tests.life.writing.events import ZONES, EventAuthor
from tests.life.writing.steps import AnyStep, Fate, Life, Message

#: When lives begin: some weeks before clocks are changed, in spring and autumn, and before a year ends.
BEGINNINGS = ("2026-02-20T09:00Z", "2026-09-08T22:30Z", "2025-11-29T05:00Z")
ROLLUPS: tuple[Rollup, ...] = get_args(Rollup)
#: How often each kind of step happens.
WEIGHTS = {
    "store": 48,
    "store_together": 6,
    "advance": 20,
    "rebuild": 3,
    "change_timezone": 2,
    "set_retention": 3,
    "retain": 6,
    "forget": 3,
    "bury": 3,
    "replay": 3,
    "replan": 3,
}


def write_life(seed: int, *, events: int) -> Life:
    """A life with about so many events."""
    return _Author(seed, events).write()


class _Author:
    def __init__(self, seed: int, events: int) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.left = events
        zones = self.random.sample(ZONES, self.random.randint(2, 4))
        self.sites = {f"site-{number}": zone for number, zone in enumerate(zones)}
        self.now = datetime.fromisoformat(self.random.choice(BEGINNINGS))
        self.pace = self.random.choice([timedelta(hours=8), timedelta(days=1), timedelta(days=3)])
        self.events = {
            site: EventAuthor(self.random, site, zone, crowds=events >= 5_000) for site, zone in self.sites.items()
        }
        self.flush = max(8, events // 120)
        self.retaining = False

    def write(self) -> Life:
        written: list[AnyStep] = []
        # By chance of its own: what else happens in a life is the same with and without erasures.
        erasing = Random(f"{self.seed} erases")
        retaining = Random(f"{self.seed} retains")
        while self.left > 0:
            (name,) = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            written += getattr(self, f"_{name}")()
            if erasing.random() < 0.5 and written:
                written[-1] = self._erased_meanwhile(written[-1], erasing)
            if retaining.random() < 0.3:
                written.append(self._retained_by_site(retaining))
            self._pass()
        everything = [steps.Advance(at=self.now, rollups=list(ROLLUPS))]
        landed = self.random.choice([0, 0, 0, len(written) // 4])
        return Life(seed=self.seed, sites=self.sites, steps=[*written, *everything], landed=landed)

    def _pass(self) -> None:
        """Some time passes; now and then just over a midnight."""
        self.now += self.pace * self.random.random() ** 2
        if self.random.random() < 0.1:
            site = self.random.choice(list(self.sites))
            self.now = max(self.now, self.events[site].bound(self.now + timedelta(days=1)) + timedelta(seconds=5))

    def _messages(self, *, most: int = 3) -> list[Message]:
        return [self._message() for _ in range(self.random.randint(1, most))]

    def _message(self) -> Message:
        authors = self.random.sample(list(self.events.values()), self.random.randint(1, len(self.events)))
        found: list[ReceivedEvent] = []
        for author in authors:
            found += author.write(self.now, about=self.random.randint(1, self.flush))
        self.random.shuffle(found)
        self.left -= min(len(found), len(authors) * self.flush)  # a crowd comes on top
        return Message(id=str(UUID(int=self.random.getrandbits(128), version=4)), events=found)

    def _store(self) -> Iterator[AnyStep]:
        fates: list[Fate] = ["done", "lost", "not acknowledged", "killed"]
        (fate,) = self.random.choices(fates, [12, 1, 1, 1])
        yield steps.Store(at=self.now, messages=self._messages(), fate=fate)

    def _erased_meanwhile(self, step: AnyStep, random: Random) -> AnyStep:
        """In place of storing messages: what they hold waits in the queue while somebody is erased."""
        if not isinstance(step, steps.Store) or step.fate != "done" or random.random() < 0.8:
            return step
        people = [
            (one.site_id, name)
            for message in step.messages
            for one in message.events
            for name in (one.user_id, one.visitor_id)
            if name
        ]
        if not people:
            return step
        site, person = random.choice(people)
        person = random.choice(["user-001", person])
        return steps.Erase(
            at=step.at + timedelta(milliseconds=1),
            site=site,
            person=person,
            waiting=step.messages,
            fate=random.choice(["done", "killed", "beside"]),
        )

    def _retained_by_site(self, random: Random) -> AnyStep:
        """A site's own retention changes, or deletes."""
        if random.random() < 0.2:
            days = random.choice([None, 3, 8, 15, 30, 60])
            return steps.SetSiteRetention(at=self.now, site=random.choice(list(self.sites)), days=days)
        # A kill, and what is deleted in many steps, take long: now and then.
        return steps.RetainSites(at=self.now, most=random.choice([5, 40, 10_000, 10_000]), killed=random.random() < 0.2)

    def _store_together(self) -> Iterator[AnyStep]:
        first, second = self._messages(most=2), self._messages(most=2)
        # The same ids on both sides: again as they are, and with other times.
        for one in first:
            second[0].events += [self.events[event.site_id].again(event, self.now) for event in one.events[::3]]
        yield steps.StoreTogether(at=self.now, first=first, second=second)

    def _advance(self) -> Iterator[AnyStep]:
        if self.random.random() < 0.4:
            yield steps.Advance(at=self.now, rollups=list(ROLLUPS))
            return
        rollups = self.random.sample(ROLLUPS, self.random.randint(1, len(ROLLUPS)))
        yield steps.Advance(
            at=self.now,
            rollups=rollups,
            parts=self.random.randint(1, 6),
            most=self.random.choice([1, 7, 50, 50_000]),
            killed=self.random.random() < 0.3,
        )

    def _rebuild(self) -> Iterator[AnyStep]:
        killed = self.random.random() < 0.4
        yield steps.Rebuild(
            at=self.now,
            site=self.random.choice(list(self.sites)),
            meanwhile=self._messages(most=1),
            statements=self.random.randint(1, 60) if killed else None,
        )

    def _change_timezone(self) -> Iterator[AnyStep]:
        site, zone = self.random.choice(list(self.sites)), self.random.choice(ZONES)
        self.events[site].timezone = zone
        yield steps.ChangeTimezone(at=self.now, site=site, timezone=zone)

    def _set_retention(self) -> Iterator[AnyStep]:
        days = self.random.choice([None, 8, 20, 45, 90, 400])
        self.retaining = days is not None
        yield steps.SetRetention(at=self.now, days=days)

    def _retain(self) -> Iterator[AnyStep]:
        if self.retaining:
            for _ in range(self.random.randint(1, 2)):
                yield steps.Retain(at=self.now)
                self.now += timedelta(minutes=self.random.choice([3, 6, 10]))
                if self.random.random() < 0.5:
                    yield steps.Advance(at=self.now, rollups=list(ROLLUPS))

    def _forget(self) -> Iterator[AnyStep]:
        yield steps.Forget(at=self.now)

    def _bury(self) -> Iterator[AnyStep]:
        yield steps.Bury(at=self.now, message=self._message())

    def _replay(self) -> Iterator[AnyStep]:
        yield steps.Replay(at=self.now, site=self.random.choice(list(self.sites)))

    def _replan(self) -> Iterator[AnyStep]:
        yield steps.Replan(at=self.now, settings=self.random.choice(PLANS), analyze=self.random.random() < 0.5)
