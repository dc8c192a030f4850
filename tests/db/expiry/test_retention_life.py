"""RETENTION_DAYS lives through months by a simulated clock: set for the first time, raised, lowered, unset.

After any pass every event that is young enough is there, what was dropped was said before, the numbers are what they
were, and the plan was what then happened.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.expiry import NOTICE, blocking_sites, drop_old_events, plan
from db.rollups.advance import advance
from db.store.events import make_partitions_ahead, store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import TIMES
from tests.conftest import Connection

#: The real present, up to which the simulated one goes: events may not be far ahead of it.
END = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
ZONES = {"utc": "UTC", "kolkata": "Asia/Kolkata", "new york": "America/New_York", "chatham": "Pacific/Chatham"}


class Life:
    """A database, a clock, and what should be there."""

    def __init__(self, conn: Connection, *, days_ago: int, seed: int = 0) -> None:
        self.conn = conn
        self.now = END - days_ago * DAY
        self.chance = random.Random(seed)
        self.behind: set[str] = set()
        self.stored: list[tuple[str, datetime]] = []
        self.gone: set[tuple[str, datetime]] = set()
        self.sites: list[str] = []
        for site, zone in ZONES.items():
            conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [site, zone])
            self.sites.append(site)

    def store(self, *events: tuple[str, datetime]) -> None:
        sent = [received(site, timestamp=moment.isoformat(), user_id="ann") for site, moment in events]
        assert store_events(self.conn, batch(*sent)).stored == len(sent)
        self.stored += events

    def live(self, days: int, *, keep: int | None) -> list[str]:
        """So many days, with events, maintenance and a pass a day; answers what was dropped."""
        dropped = []
        for _ in range(days):
            hours = [self.chance.uniform(0, 24) for _ in range(4)]
            self.store(
                *((site, self.now + timedelta(hours=hour)) for site in self.sites for hour in hours),
                # Some come late.
                (self.chance.choice(self.sites), self.now - timedelta(hours=self.chance.uniform(0, 60))),
            )
            self.now += DAY
            self.maintain()
            if keep is not None:
                dropped += self.a_pass(keep)
        return dropped

    def maintain(self) -> None:
        make_partitions_ahead(self.conn, self.now)
        for site in set(self.sites) - self.behind:
            for rollup in ("sessions", "user_months"):
                while advance(self.conn, rollup, site, target=self.now - timedelta(hours=3)):
                    pass

    def a_pass(self, keep: int) -> list[str]:
        """A pass of the worker's, and another ten minutes later: each does what the plan says, and no more."""
        dropped = []
        for later in (timedelta(0), 2 * NOTICE):
            present = self.now + later
            planned = [one for one in plan(self.conn, days=keep, now=present) if not one.blocked]
            there = sum(one.contents.events for one in planned if one.announced)
            before = self.events()
            done = drop_old_events(self.conn, days=keep, now=present)
            assert done == [one.name for one in planned if one.announced]
            assert len(self.events()) == len(before) - there
            dropped += done
            self.check(keep, present)
        return dropped

    def events(self) -> list[tuple[str, datetime]]:
        return self.conn.execute("select site_id, event_time from events").fetchall()

    def check(self, keep: int, present: datetime) -> None:
        """Nothing went that is young enough, nor anything that was not said, nor any number."""
        there = set(self.events())
        told = dict(self.conn.execute("select site_id, events_from from sites").fetchall())
        for site, moment in set(self.stored) - there - self.gone:
            assert moment < present - keep * DAY
            assert moment < told[site]
            self.gone.add((site, moment))
        for site in self.sites:
            counted = self.conn.execute("select sum(events) from event_hours where site_id = %s", [site]).fetchone()
            assert counted == (sum(one == site for one, _ in self.stored) or None,)


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


def test_the_first_run_drops_nothing_that_is_young_enough(conn: Connection) -> None:
    life = Life(conn, days_ago=0)
    life.store(*((site, END - days * DAY) for site in life.sites for days in (300, 60, 20, 1)))
    life.maintain()
    for _ in range(3):
        assert drop_old_events(conn, days=400) == []  # by the database's clock
    assert life.a_pass(400) == []
    assert len(life.events()) == len(life.stored)
    assert conn.execute("select from kept_events").fetchall() == []
    # Two processes have a clock each: the second pass comes at once.
    assert drop_old_events(conn, days=50, now=END) == drop_old_events(conn, days=50, now=END) == []
    assert len(life.events()) == len(life.stored)
    life.check(50, END)


@pytest.mark.some(1)
@pytest.mark.parametrize("seed", range(2 * TIMES))
def test_a_life_in_which_it_is_set_raised_lowered_and_unset(
    conn: Connection, url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    life = Life(conn, days_ago=150, seed=seed)
    assert life.live(45, keep=None) == []
    for keep in (400, 30, 21, 90, None, 60, 14, 7, 400, 10):
        dropped = life.live(life.chance.randint(3, 10), keep=keep)
        assert not (dropped and keep in (400, 90, None))
        if keep == 21:
            life.sites.append("new site")
    assert len(life.events()) < len(life.stored)
    assert {(moment,) for moment in said(conn)} == {conn.execute("select events_from from kept_events").fetchone()}
    monkeypatch.setenv("DATABASE_URL", url)
    for command in (["verify"], ["rebuild", "--all-sites"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
    life.check(10, life.now)


def test_what_was_said_is_taken_back_where_it_is_still_there(conn: Connection) -> None:
    life = Life(conn, days_ago=100)
    life.live(40, keep=None)
    before = conn.execute("select * from user_months order by 1, 2, 3").fetchall()
    assert drop_old_events(conn, days=7, now=life.now) == []
    assert len(said(conn)) == 1
    assert None not in said(conn)
    assert drop_old_events(conn, days=400, now=life.now + timedelta(minutes=1)) == []
    assert said(conn) == {None}
    assert conn.execute("select from kept_events").fetchall() == []
    assert life.a_pass(400) == []
    assert conn.execute("select * from user_months order by 1, 2, 3").fetchall() == before
    # Of what was dropped meanwhile nothing is taken back.
    (gone, *_) = life.a_pass(21)
    bound = said(conn)
    drop_old_events(conn, days=400, now=life.now)
    assert said(conn) == bound
    assert gone not in {name for (name,) in conn.execute("select name from event_partitions")}
    # What was said of more is taken back as far as that.
    drop_old_events(conn, days=7, now=life.now)
    assert said(conn) != bound
    drop_old_events(conn, days=400, now=life.now)
    assert said(conn) == bound


def said(conn: Connection) -> set[datetime | None]:
    return {moment for (moment,) in conn.execute("select events_from from sites")}


def test_a_site_that_is_behind_keeps_the_events_of_all_and_is_named(conn: Connection) -> None:
    life = Life(conn, days_ago=100)
    life.live(10, keep=None)
    life.behind = {"kolkata"}
    life.live(30, keep=None)
    drop_old_events(conn, days=20, now=life.now)
    for present in (life.now + NOTICE, life.now + 3 * DAY):
        names = drop_old_events(conn, days=20, now=present)
        due = plan(conn, days=20, now=present)
        assert len(names) < len(due) + len(names)
        assert all([behind.site_id for behind in one.lagging] == ["kolkata"] for one in due if one.announced)
        assert [behind.site_id for behind in blocking_sites(conn, days=20, now=present)] == ["kolkata"]
        life.check(20, present)
    life.behind = set()
    life.maintain()
    assert life.a_pass(20)
    assert blocking_sites(conn, days=20, now=life.now) == []
