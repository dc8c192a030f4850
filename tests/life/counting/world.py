"""What is true of a life: which events count, which are duplicates or dead, and what is still kept of them."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from db.events.event import ReceivedEvent
from db.people.letters import ERASED
from db.store.events import IDS_KEPT
from tests.life.counting.site import Site
from tests.life.writing.events import OURS


class Span(NamedTuple):
    """A half-open range of time."""

    start: datetime
    end: datetime

    def has(self, moment: datetime) -> bool:
        """Whether the moment is in it."""
        return self.start <= moment < self.end


class World:
    """All sites, and what they share: the ledger, and from when on events are kept."""

    def __init__(self, sites: dict[str, str]) -> None:
        self.sites = {name: Site(name, timezone) for name, timezone in sites.items()}
        self.ledger: Counter[tuple[str, date, str]] = Counter()
        self.kept_from: datetime | None = None
        self.allowed_from: datetime | None = None
        """The latest moment that kept_from may have been, by RETENTION_DAYS."""
        self.dropped: list[Span] = []
        self.partitions: list[Span] = []

    def store(self, events: Iterable[ReceivedEvent], *, now: datetime, at_once: bool = True) -> None:
        """These arrive in the store together; of one id in them the one that was accepted first counts."""
        self.store_in_order(sorted(events, key=lambda one: one.received_at), now=now, at_once=at_once)

    def store_in_order(self, events: Iterable[ReceivedEvent], *, now: datetime, at_once: bool = False) -> None:
        """These arrive in the store one after the other, or `at_once`: unless one is dead, in one transaction."""
        before = {site.name: len(site.stored) for site in self.sites.values()}
        for one in events:
            found = self.sites[one.site_id].caught(one) or one
            outcome = self.outcome(found, now=now)
            self._note(one, outcome)
            at_once &= outcome != "dead"
            if outcome == "dead" and found.user_id == one.user_id:  # not of whom is erased
                self._add_letter(found)
        for site in self.sites.values():
            self._identify(site, before[site.name], at_once=at_once)

    def outcome(self, event: ReceivedEvent, *, now: datetime) -> str:
        """What becomes of an event that is stored now; it is, where it is new."""
        site = self.sites[event.site_id]
        if event.id_made and self.is_dead_everywhere(event):  # whoever had its id before
            return "dead"
        came_before = self._came_before(site, event)
        if not came_before and self.is_dead(event):
            return "dead"
        if not event.id_made:
            site.ids.setdefault(event.event_id, now)
        if came_before:
            return "duplicates"
        site.add(event)
        return "stored"

    def bury(self, events: Iterable[ReceivedEvent]) -> None:
        """These become dead letters."""
        for one in events:
            self._note(one, "dead")
            found = self.sites[one.site_id].caught(one) or one
            if found.user_id == one.user_id:
                self._add_letter(found)

    def replay(self, site: Site, payload: bytes, *, now: datetime) -> None:
        """A dead letter is replayed."""
        if payload == ERASED:  # it stays dead
            return
        one = site.letters[payload][0]
        before = len(site.stored)
        outcome = self.outcome(one, now=now)
        self._identify(site, before, at_once=True)
        if outcome != "dead":
            self._note(one, "dead", -1)
            self._note(one, outcome)
            del site.letters[payload][0]

    def _identify(self, site: Site, before: int, *, at_once: bool) -> None:
        links = set(site.people.links)
        kept = [one for one in site.stored if self.is_kept(one)]
        site.people.identify(site.stored[before:], kept, at_once=at_once)
        self.linked(site, links)

    def linked(self, site: Site, before: set[str]) -> None:
        """There may be more links than before."""
        if site.people.links.keys() - before:
            site.link(before, self.is_kept)

    def forget_links(self) -> None:
        """Links end with the last event that is kept; what expired stays whose it was."""
        for site in self.sites.values():
            if self.kept_from_of(site):
                site.unlink(site.people.forget([one for one in site.stored if self.is_kept(one)]))

    def forget_ids(self, now: datetime) -> None:
        """Ids are forgotten that came long ago."""
        for site in self.sites.values():
            site.ids = {name: seen for name, seen in site.ids.items() if seen >= now - IDS_KEPT}

    def drop(self, spans: Iterable[Span]) -> None:
        """The events of these partitions are no longer kept."""
        self.dropped += spans

    def is_kept(self, event: ReceivedEvent) -> bool:
        """Whether the event itself is still there."""
        return not (self._is_deleted(event) or any(span.has(event.timestamp) for span in self.dropped))

    def kept_from_of(self, site: Site) -> datetime | None:
        """From when on a site's reports may count its events."""
        return max(filter(None, (self.kept_from, site.announced_from)), default=None)

    def is_dead(self, event: ReceivedEvent) -> bool:
        """Whether the event's time is no longer kept, and is stored no more: of its site, or of any."""
        return self._is_deleted(event) or self.is_dead_everywhere(event)

    def _is_deleted(self, event: ReceivedEvent) -> bool:
        deleted_until = self.sites[event.site_id].deleted_until
        return deleted_until is not None and event.timestamp < deleted_until

    def is_dead_everywhere(self, event: ReceivedEvent) -> bool:
        """Whether the event's time is no longer kept, and there is no partition any more that would take it."""
        too_old = self.kept_from is not None and event.timestamp < self.kept_from
        return too_old and not any(span.has(event.timestamp) for span in self.partitions)

    def _came_before(self, site: Site, event: ReceivedEvent) -> bool:
        if event.event_id in site.ids:
            return True
        earlier = [one for one in site.by_id.get(event.event_id, []) if self.is_kept(one)]
        # One of ours is known for as long as it is kept, any other by its time as well.
        ours = OURS in event.event_id and not event.id_made
        return any(ours or one.timestamp == event.timestamp for one in earlier)

    def _add_letter(self, event: ReceivedEvent) -> None:
        self.sites[event.site_id].letters[msgspec.json.encode(event)].append(event)

    def _note(self, event: ReceivedEvent, outcome: str, times: int = 1) -> None:
        self.ledger[event.site_id, event.received_at.astimezone(UTC).date(), outcome] += times
