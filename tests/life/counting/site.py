"""A site of a life: what was stored of it, whose events they are, and what is no longer kept."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

import msgspec

from db.events.event import ReceivedEvent
from tests.life.counting.people import People, is_of_user, of_visitor, without


class Site:
    """A site: what was stored of it, and the timezone that its days are meant in."""

    def __init__(self, name: str, timezone: str) -> None:
        self.name = name
        self.timezone = timezone
        self.stored: list[ReceivedEvent] = []
        """Its events as they were sent; `events` has whom they count for."""
        self.people = People()
        self.by_id: defaultdict[str, list[ReceivedEvent]] = defaultdict(list)
        self.ids: dict[str, datetime] = {}
        self.letters: defaultdict[bytes, list[ReceivedEvent]] = defaultdict(list)
        """Its dead letters, by what they hold."""
        self.compared_from: datetime | None = None
        """From when on its days are those of its timezone, where it got that after events were dropped."""
        self.erased: dict[str, tuple[str, datetime]] = {}
        """The pseudonym of each person who was erased, and when."""
        self.retention_days: int | None = None
        """Its own retention; what was announced by it, when, and until when its events are deleted."""
        self.announced_from: datetime | None = None
        self.said_at: datetime | None = None
        self.deleted_until: datetime | None = None
        self.erased_visitors: dict[str, tuple[str, datetime]] = {}
        """The same of their visitors."""
        self.to_erase_again: dict[str, datetime] = {}
        """The pseudonyms that may have got a visitor since, whom only an event in the queue told of."""
        self._events: list[ReceivedEvent] | None = None
        self._by_user: dict[str, list[ReceivedEvent]] | None = None

    def erase(self, person: str, pseudonym: str, at: datetime) -> list[str]:
        """A person is erased: no event names them or their visitors, who are returned."""
        visitors = self.people.visitors(person)
        self.erased[person] = pseudonym, at
        self.erased_visitors |= dict.fromkeys(visitors, (pseudonym, at))
        self._put([
            without(one, {person, *visitors}, person=whose, pseudonym=pseudonym if whose == person else None)
            for one in self.stored
            for whose in [self.people.person(one)]
        ])  # fmt: skip
        for visitor in (*visitors, person):
            self.people.links.pop(visitor, None)
        return visitors

    def caught(self, event: ReceivedEvent) -> ReceivedEvent | None:
        """The event of a person who was erased after it was accepted, as it is stored."""
        for name in (event.user_id, event.visitor_id):
            as_user = self.erased.get(name or "")
            as_visitor = self.erased_visitors.get(name or "") if name == event.visitor_id else None
            for pseudonym, at in filter(None, (as_user, as_visitor)):
                if event.received_at < at:
                    own = name == event.user_id or event.user_id is None
                    ids = {one for one in ((event.user_id if own else None), event.visitor_id) if one}
                    found = without(event, ids, person=event.user_id, pseudonym=pseudonym if own else None)
                    return self._with_new_visitor(event, found, at) if name == event.user_id else found
        return None

    def _with_new_visitor(self, event: ReceivedEvent, found: ReceivedEvent, at: datetime) -> ReceivedEvent:
        """An event of an erased person still tells who a visitor is of whom nobody knew that."""
        visitor = event.visitor_id
        if not is_of_user(event) or visitor is None or visitor in self.erased_visitors or visitor in self.people.links:
            return found
        self.to_erase_again[found.user_id or ""] = at
        return msgspec.structs.replace(found, visitor_id=visitor)

    def add(self, event: ReceivedEvent) -> None:
        """An event of it is stored."""
        self.stored.append(event)
        self.by_id[event.event_id].append(event)
        self._events = self._by_user = None

    def link(self, before: set[str], is_kept: Callable[[ReceivedEvent], bool]) -> None:
        """Visitors have become users since: nothing tells any more that their ids were users' when events expired."""
        new = self.people.links.keys() - before
        self._put([
            of_visitor(one, one.user_id or "") if is_of_user(one) and one.user_id in new and not is_kept(one) else one
            for one in self.stored
        ])  # fmt: skip

    def unlink(self, visitors: set[str]) -> None:
        """These visitors are nobody's any more; their events are whose they were."""
        people = self.people
        self._put([
            msgspec.structs.replace(one, user_id=people.person(one)) if one.visitor_id in visitors else one
            for one in self.stored
        ])  # fmt: skip
        for visitor in visitors:
            del people.links[visitor]

    def _put(self, events: list[ReceivedEvent]) -> None:
        self.stored = events
        self.by_id.clear()
        for one in events:
            self.by_id[one.event_id].append(one)
        self._events = self._by_user = None

    @property
    def events(self) -> list[ReceivedEvent]:
        """Its events, each with whom it counts for as its user."""
        if self._events is None:
            self._events = [
                one if one.user_id == person else msgspec.structs.replace(one, user_id=person)
                for one in self.stored
                for person in [self.people.person(one)]
            ]
        return self._events

    @property
    def by_user(self) -> dict[str, list[ReceivedEvent]]:
        """Each user's events, in order of time and, of the same time, of path."""
        if self._by_user is None:
            found = defaultdict(list)
            for one in sorted(self.events, key=lambda one: (one.timestamp, one.path.encode())):
                if one.user_id:
                    found[one.user_id].append(one)
            self._by_user = dict(found)
        return self._by_user
