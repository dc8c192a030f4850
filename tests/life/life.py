"""Lives a life on a database: `live(life, url)` does its steps, and after each asks and counts.

Every number that is asked for has to equal the naive count, `tjra verify` has to find nothing, the ledger to balance,
and nothing may be gone that no step removed. Raises Mismatch where something is not so.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from db.dead_letters.replay import replay
from db.migrations import migrate
from db.people.links import forget_links, sites_with_links
from db.rollups.advance import advance
from db.sites.timezones import set_timezone
from db.store import events as store
from db.store.dead_letters import Failure
from db.store.whole_or_apart import file_message
from tests.builders.rewriting import cursor_with
from tests.life.before import store_as_before
from tests.life.counting.asking import Mismatch
from tests.life.counting.world import World
from tests.life.erasing import erase_again, erase_person
from tests.life.faults import put_back
from tests.life.look import PLANS, Look
from tests.life.mortal import Killed, Mortal, killed_while
from tests.life.retaining import delete_of_sites, drop_partitions, partitions, set_retention
from tests.life.whole import rebuild
from tests.life.worker import beside, delivered, flush
from tests.life.writing import steps
from tests.life.writing.steps import AnyStep, Life, Message
from tests.oracles.before import migrate_as_before

#: As in maintenance: rollups that are written later leave out what is this young.
OPEN = timedelta(hours=3)


class Lived(msgspec.Struct):
    """What came of a life."""

    events: int = 0
    questions: int = 0
    by_step: Counter[str] = msgspec.field(default_factory=Counter)


def live(life: Life, url: str, *, questions: int = 3, audits: int = 12, fault: str | None = None) -> Lived:
    """Live it on an empty database; so many questions after each step, and so many audits of everything.

    `fault`: one of FAULTS, put back to be found.
    """
    with _Run(life, url, fault) as run:
        for number, step in enumerate(life.steps):
            try:
                run.do(number, step)
                if number + 1 >= life.landed:  # what the version before says is not ours any more
                    run.look.ask(step.at, number, questions)
                    if number % (1 + len(life.steps) // audits) == 0:
                        run.look.audit()
            except Mismatch as error:
                raise Mismatch(f"seed {life.seed}, after step {number} ({type(step).__name__}): {error}") from None
        for number, run.look.plan in enumerate(PLANS):
            run.look.ask(life.steps[-1].at, len(life.steps) + number, 3 * questions)
        run.look.audit()
        run.lived.questions = run.look.questions
        return run.lived


class _Run:
    def __init__(self, life: Life, url: str, fault: str | None) -> None:
        self.life = life
        self.fault = fault
        self.url = url
        self.world = World(life.sites)
        self.lived = Lived()
        self.days: int | None = None

    def __enter__(self) -> "_Run":
        self.conn: Connection[Any] = psycopg.connect(self.url, autocommit=True, prepare_threshold=None)
        self.look = Look(self.url, self.world, self.life.seed)
        if self.life.landed:
            migrate_as_before(self.url)
        else:
            self._migrate()
        for name, zone in self.life.sites.items():
            self.conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [name, zone])
        return self

    def __exit__(self, *_: object) -> None:
        self.look.close()
        self.conn.close()

    def _migrate(self) -> None:
        migrate(self.url)
        self.look.reading.cursor_factory = cursor_with(put_back(self.conn, self.fault))

    def do(self, number: int, step: AnyStep) -> None:
        """One step, in the database and in the world."""
        self.lived.by_step[type(step).__name__] += 1
        if number < self.life.landed:
            if isinstance(step, steps.Store):
                store_as_before(self.conn, self.world, step.messages, now=step.at)
            elif isinstance(step, steps.Advance):
                self._advance(step)
        else:
            getattr(self, f"_{steps.snake(type(step).__name__)}")(step)
            erase_again(self.conn, self.look, self.world, step.at)
        if number + 1 == self.life.landed:
            self._migrate()
            _ = [rebuild(self.conn, site) for site in self.life.sites]  # as left_to_do says
        self.lived.events = self.world.ledger.total()

    def _store(self, step: steps.Store) -> None:
        messages = self._accepted(step.messages, step.at)
        self._look_at_partitions()
        if step.fate == "lost":
            with suppress(psycopg.Error), closing(psycopg.connect(self.url, prepare_threshold=None)) as dying:
                store.store_messages(dying, delivered(messages), now=step.at)
        if step.fate == "killed":
            killed_while(self.url, lambda conn: flush(conn, messages, step.at))
        flush(self.conn, messages, step.at)
        if step.fate == "not acknowledged":
            flush(self.conn, messages, step.at)
        # Several are stored one by one where a time has no partition yet.
        events = (one for message in messages for one in message.events)
        self.world.store(events, now=step.at, at_once=len(messages) == 1)

    def _store_together(self, step: steps.StoreTogether) -> None:
        first, second = self._accepted(step.first, step.at), self._accepted(step.second, step.at)
        self._look_at_partitions()
        # One that would be dead if it came before another with its id is left out: which comes first is not told.
        times = Counter(one.event_id for message in (*first, *second) for one in message.events)
        for message in (*first, *second):
            message.events = [one for one in message.events if times[one.event_id] == 1 or not self.world.is_dead(one)]
        beside(self.url, lambda conn: flush(conn, second, step.at), lambda: flush(self.conn, first, step.at))
        # Which of two with one id was first the database says.
        events = [one for message in (*first, *second) for one in message.events]
        rows = self.conn.execute(
            "select site_id, event_id::text, event_time, path, properties, stored_at from events"
            " where event_id = any(%s::uuid[])",
            [[one.event_id for one in events]],
        ).fetchall()
        new = [row for *row, stored_at in rows if stored_at == step.at]
        old = [row[:3] for *row, stored_at in rows if stored_at != step.at]
        if len({(site, event_id) for site, event_id, *_ in new}) < len(new):
            raise Mismatch("an id was stored twice by flushes side by side")

        def place(one: Any) -> int:
            """What was stored came first; where nothing was, what had been stored once, when ids are forgotten."""
            row = [one.site_id, one.event_id, one.timestamp]
            return 0 if [*row, one.path, one.properties] in new else 1 if row in old else 2

        self.world.store_in_order(sorted(events, key=place), now=step.at)

    def _bury(self, step: steps.Bury) -> None:
        (message,) = self._accepted([step.message], step.at)
        file_message(self.conn, delivered([message])[0], Failure("it was tried too often"), queue="events")
        self.world.bury(message.events)

    def _replay(self, step: steps.Replay) -> None:
        self._look_at_partitions()
        site = self.world.sites[step.site]
        rows = self.conn.execute(
            "select id::text, payload from dead_letters where site_id = %s and state = 'dead' order by id", [step.site]
        ).fetchall()
        for letter, payload in rows:
            replay(self.conn, letter, request=letter, now=step.at)
            self.world.replay(site, bytes(payload), now=step.at)

    def _erase(self, step: steps.Erase) -> None:
        self._look_at_partitions()
        erase_person(self.conn, self.url, self.look, self.world, step, self._accepted(step.waiting, step.at))

    def _advance(self, step: steps.Advance) -> None:
        target = step.at - OPEN
        for rollup in step.rollups:
            for site in self.world.sites:
                if step.killed:
                    with closing(psycopg.connect(self.url, prepare_threshold=None)) as dying:
                        advance(dying, rollup, site, target=target, most=step.most)
                parts = 0
                while parts != step.parts and advance(self.conn, rollup, site, target=target, most=step.most):
                    parts += 1

    def _rebuild(self, step: steps.Rebuild) -> None:
        messages = self._accepted(step.meanwhile, step.at)
        self._look_at_partitions()

        def rebuilding() -> None:
            with suppress(Killed), closing(Mortal.connect(self.url, autocommit=True, prepare_threshold=None)) as conn:
                conn.statements_left = step.statements
                corrected = rebuild(conn, step.site)
                if corrected:
                    raise Mismatch(f"a rebuild of {step.site} corrected {corrected} rows")

        beside(self.url, lambda conn: flush(conn, messages, step.at), rebuilding)
        self.world.store((one for message in messages for one in message.events), now=step.at)

    def _change_timezone(self, step: steps.ChangeTimezone) -> None:
        site = self.world.sites[step.site]
        set_timezone(self.conn, step.site, step.timezone, now=step.at)
        if site.timezone != step.timezone and (kept_from := self.world.kept_from_of(site)):
            site.compared_from = kept_from
        site.timezone = step.timezone

    def _set_retention(self, step: steps.SetRetention) -> None:
        self.days = step.days

    def _retain(self, step: steps.Retain) -> None:
        if self.days is not None:
            drop_partitions(self.conn, self.world, step.at, self.days)

    def _set_site_retention(self, step: steps.SetSiteRetention) -> None:
        set_retention(self.conn, self.world.sites[step.site], step.days)

    def _retain_sites(self, step: steps.RetainSites) -> None:
        delete_of_sites(self.conn, self.url, self.look, self.world, step, self.days)
        self._forget_links()

    def _forget(self, step: steps.Forget) -> None:
        store.forget_settled_messages(self.conn, now=step.at)
        store.forget_event_ids(self.conn, now=step.at)
        store.make_partitions_ahead(self.conn, now=step.at)
        self.world.forget_ids(step.at)
        self._forget_links()

    def _forget_links(self) -> None:
        for site in sites_with_links(self.conn):
            forget_links(self.conn, site, most=2)
        self.world.forget_links()

    def _replan(self, step: steps.Replan) -> None:
        self.look.plan = step.settings
        if step.analyze:
            self.conn.execute("analyze")

    def _accepted(self, messages: Iterable[Message], now: datetime) -> list[Message]:
        """These without what ingestion would have refused: events that would not be kept."""
        earliest = now - timedelta(days=self.days) if self.days else datetime.min.replace(tzinfo=UTC)
        return [Message(one.id, [event for event in one.events if event.timestamp >= earliest]) for one in messages]

    def _look_at_partitions(self) -> None:
        """What is no longer kept goes into the partitions that are still there."""
        self.world.partitions = list(partitions(self.conn).values()) if self.world.kept_from else []
