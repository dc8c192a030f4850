"""Looking at a life: questions of chance to the reports, and audits of everything there is."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg
from psycopg import AsyncConnection

from db.connections.pools import begin_snapshot
from db.reports.shared.report import EventsNotKept
from tests.life.counting.asking import Asking, Mismatch
from tests.life.counting.questions import QUESTIONS
from tests.life.counting.site import Site
from tests.life.counting.world import World
from tests.life.whole import differences

#: Plans that the planner may come to as tables grow, or their statistics age.
PLANS: list[dict[str, str]] = [
    {},
    {"enable_sort": "off"},
    {"enable_hashagg": "off"},
    {"enable_nestloop": "off"},
    {"enable_hashjoin": "off", "enable_mergejoin": "off"},
    {"enable_indexscan": "off", "enable_bitmapscan": "off"},
    {
        "max_parallel_workers_per_gather": "2",
        "parallel_setup_cost": "0",
        "parallel_tuple_cost": "0",
        "min_parallel_table_scan_size": "0",
        "min_parallel_index_scan_size": "0",
        "enable_nestloop": "off",  # or it starts workers anew for each of thousands of users, for minutes
    },
]


class Look:
    """Who compares the database with what is true."""

    def __init__(self, url: str, world: World, seed: int) -> None:
        self.url = url
        self.world = world
        self.seed = seed
        self.questions = 0
        #: Settings of PostgreSQL's that make it plan reports otherwise.
        self.plan: dict[str, str] = {}
        self.loop = asyncio.new_event_loop()
        self.reading: AsyncConnection[Any] = self.loop.run_until_complete(
            AsyncConnection.connect(url, autocommit=True, prepare_threshold=None)
        )

    def close(self) -> None:
        """It looks no more."""
        self.loop.run_until_complete(self.reading.close())
        self.loop.close()

    def ask(self, now: datetime, number: int, questions: int) -> None:
        """Ask so many questions of chance, of the people as they are now."""
        self.meet()
        random = Random(f"{self.seed} {number}")
        for _ in range(questions):
            question, site = random.choice(QUESTIONS), random.choice(list(self.world.sites.values()))
            self.loop.run_until_complete(self._ask(Asking(self.reading, random, self.world, site, now), question))
            self.questions += 1

    def meet(self) -> None:
        """The visitors of the world are whom the database says, where it may say so."""
        rows = self.loop.run_until_complete(self._links())
        for site in self.world.sites.values():
            before = set(site.people.links)
            if fault := site.people.settle({visitor: user for name, visitor, user in rows if name == site.name}):
                raise Mismatch(f"{site.name}: {fault}")
            self.world.linked(site, before)

    async def _links(self) -> list[Any]:
        return await (await self.reading.execute("select site_id, visitor_id, user_id from visitors")).fetchall()

    async def _ask(self, asking: Asking, question: Callable[[Asking], Any]) -> None:
        await begin_snapshot(self.reading)
        try:
            for name, value in {"statement_timeout": "60s", **self.plan}.items():  # a fresh shop's statistics, say
                await self.reading.execute(f"set local {name} = '{value}'".encode())
            await question(asking)
        except EventsNotKept as error:
            kept_from = asking.world.kept_from_of(asking.site)
            if kept_from is None or all(one.timestamp >= kept_from for one in asking.site.events):
                raise Mismatch(f"{question.__doc__} of {asking.asked} says: {error}") from None
        except Mismatch as error:
            raise Mismatch(f"{question.__doc__}: {error}") from None
        finally:
            await self.reading.rollback()

    def audit(self) -> None:
        """Every event, every rollup, the ledger and the dead letters."""
        with closing(psycopg.connect(self.url, autocommit=True, prepare_threshold=None)) as conn:
            for site in self.world.sites.values():
                rows = conn.execute("select event_id::text, event_time from events where site_id = %s", [site.name])
                kept = Counter((one.event_id, one.timestamp) for one in site.stored if self.world.is_kept(one))
                _same(f"events of {site.name}", Counter((one, at.astimezone(UTC)) for one, at in rows), kept)
                _same(f"visitors of {site.name} who became users", self._left_of(conn, site), [])
                _same(f"what verify says of {site.name}", list(differences(conn, site.name)), [])
            rows = conn.execute("select site_id, day, stored, duplicates, dead from settled_days")
            settled = Counter({
                (site_id, day, name): count
                for site_id, day, *counts in rows
                for name, count in zip(("stored", "duplicates", "dead"), counts, strict=True)
            })  # fmt: skip
            _same("ledger", +settled, +self.world.ledger)

    def _left_of(self, conn: psycopg.Connection[Any], site: Site) -> list[Any]:
        """What is still there by the id of a visitor whom nobody is any more."""
        names = [visitor for visitor in site.people.links if visitor not in site.by_user]
        return conn.execute(
            "select 'users', user_id from users where site_id = %(site)s and user_id = any (%(names)s)"
            " union all select 'sessions', user_id from sessions where site_id = %(site)s and user_id = any (%(names)s)"
            " union all select 'user_months', user_id from user_months"
            " where site_id = %(site)s and user_id = any (%(names)s)",
            {"site": site.name, "names": names},
        ).fetchall()


def _same(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        if isinstance(found, Counter):
            found, expected = found - expected, expected - found
        raise Mismatch(f"{what}:\n  there is    {found}\n  there should be {expected}")
