"""What all questions share: a range, drawn by chance; asking about it; and telling what was not as it should be."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from db.connections.pools import ReadConnection
from db.reports.shared.filters import read_filters
from db.reports.shared.ranges import RequestedRange, resolve
from db.reports.shared.report import Question
from tests.life.counting.counts import FILTERS, Events, Matches, local_day, midnight
from tests.life.counting.site import Site
from tests.life.counting.world import World
from tests.life.writing.events import ZONES


class Mismatch(AssertionError):
    """An answer that is not what was counted."""


class Asking:
    """One question about a site at a moment, whose parameters are drawn by chance."""

    def __init__(self, conn: ReadConnection, random: Random, world: World, site: Site, now: datetime) -> None:
        self.conn = conn
        self.random = random
        self.world = world
        self.site = site
        self.now = now
        self.asked: dict[str, Any] = {"site": site.name, "now": now.isoformat()}

    def draw(self, name: str, values: list[Any]) -> Any:
        """One of these values, for a parameter of this name."""
        found = self.random.choice(values)
        self.asked[name] = found
        return found

    def filter(self, *, some: list[str | None] | None = None) -> tuple[Any, Matches]:
        """Filters, mostly none, and the same in Python."""
        text = self.draw("filter", some or [None, None, *FILTERS])
        return read_filters([text] if text else []), FILTERS[text] if text else lambda _: True

    def days(self, *, long: bool = False) -> tuple[date, date]:
        """Days of the site, half-open, around what has happened; `long`: some months."""
        days = self.random.choice([45, 91, 200] if long else [1, 1, 2, 7, 30, 45, 91, 200])
        today = local_day(self.now, self.site.timezone)
        first = today - timedelta(days=self.random.choice([0, 1, 2, 5, 20, 40, 100, days - 1]))
        if self.site.events and self.random.random() < 0.4:
            first = local_day(self.random.choice(self.site.events).timestamp, self.site.timezone)
        if self.random.random() < 0.3:
            first = first.replace(day=self.random.choice([1, 1, 6, 26]))
        if self.site.compared_from:
            first = max(first, local_day(self.site.compared_from, self.site.timezone) + timedelta(days=1))
        return first, first + timedelta(days=days)

    async def question(self, *, matching: Any, days_only: bool = False, long: bool = False) -> Question:
        """The same range as the database reads it; it has to begin and end when it should."""
        zone = self.draw("timezone", [self.site.timezone] * 3 + list(ZONES))
        first, end = self.days(long=long)
        start, stop = midnight(first, zone), midnight(end, zone)
        asked = RequestedRange(days=(first, end), timezone=zone)
        kind = "days" if days_only else self.random.choice(["days", "days", "hours", "instants"])
        if kind != "days":
            grain = timedelta(hours=1) if kind == "hours" else timedelta(microseconds=1)
            start += grain * self.random.randint(-30, 30)
            stop = max(start + grain, stop + grain * self.random.randint(-30, 30))
            if self.site.events and self.random.random() < 0.3:
                stop = max(start + grain, self.random.choice(self.site.events).timestamp)
            asked = RequestedRange(instants=(start, stop), timezone=zone)
        self.asked |= {"from": start.isoformat(), "to": stop.isoformat(), "range": kind}
        found = await resolve(self.conn, self.site.name, asked, now=self.now)
        self.same("range", (found.start.astimezone(UTC), found.end.astimezone(UTC)), (start, stop))
        return Question(site_id=self.site.name, range=found, filters=matching, now=self.now, as_of=self.now)

    def events(self, question: Question, matches: Matches = lambda _: True) -> Events:
        """The site's events that it is about."""
        start, end = question.range.start.astimezone(UTC), question.range.end.astimezone(UTC)
        return [one for one in self.site.events if start <= one.timestamp < end and matches(one)]

    def same(self, what: str, answered: Any, counted: Any) -> None:
        """Raise Mismatch unless these are equal."""
        if answered == counted:
            return
        if isinstance(answered, dict) and isinstance(counted, dict):
            answered, counted = (
                {key: one[key] for key in one if key not in other or other[key] != one[key]}
                for one, other in ((answered, counted), (counted, answered))
            )
        raise Mismatch(f"{what} of {self.asked}:\n  answered {answered!r}\n  counted  {counted!r}")

    def alike(self, what: str, answered: float | None, counted: float | None) -> None:
        """The same of numbers that were divided."""
        if answered is None or counted is None:
            self.same(what, answered, counted)
        elif abs(answered - counted) > 1e-6 * max(1.0, abs(counted)):
            raise Mismatch(f"{what} of {self.asked}:\n  answered {answered!r}\n  counted  {counted!r}")
