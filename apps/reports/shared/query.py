"""The parameters that reports share: a range of time, filters, a range to compare with. Their queries inherit them."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from db.events.errors import BadParameter
from db.events.event import SiteId
from db.events.reasons import DAY, TIME
from db.reports.shared import filters, ranges
from db.reports.shared.filters import Filters, read_filters
from db.reports.shared.ranges import Comparison, Period, RequestedRange
from db.sites.timezones import timezones

#: Years that a range may reach to: what PostgreSQL's and Python's calendars both can add and subtract.
FIRST_YEAR, LAST_YEAR = 1900, 2200

Moment = TypeVar("Moment", bound=date)

MOMENT = f"{DAY}, or {TIME}"


Day = Annotated[date, Meta(description="One day, as YYYY-MM-DD.", examples=["2026-01-02"])]


Safe = Annotated[
    bool,
    Meta(
        description="For CSV that is opened in a spreadsheet: `true` puts a `'` before each text that it would take "
        "for a formula, as those that begin with `=`, `+`, `-` or `@`. Numbers stay numbers."
    ),
]


Format = Literal["json", "csv", "ndjson"]
AskedFormat = Annotated[
    Format | None,
    Meta(description="`json`, or the rows as `csv` or `ndjson`, whatever `Accept` says; left out: as `Accept` says."),
]


Compare = Annotated[
    Comparison | None,
    Meta(
        description="Have the same of another range as well: `previous_period` (as long, just before), "
        "`previous_week` (the same weekdays: 7 days before, or as many weeks as the range takes), `same_weekday` "
        "(the same: 7 days before; of more than 7 days, 28 before, or as many weeks as the range takes) or "
        "`previous_year`. A range that is not over is compared up to the same time, to the microsecond: today "
        "until now with yesterday until this time. The report says in `compared_with` which range that is."
    ),
]


class ReportQuery(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """Which site, which time and which events."""

    site_id: SiteId
    date: Day | None = None
    start: Annotated[str, Meta(description=f"The range begins here: {MOMENT}.", examples=["2026-01-01"])] | None = None
    end: (
        Annotated[
            str,
            Meta(
                description=f"The range ends before this: {MOMENT}, as `from`; left out: now, or the end of today.",
                examples=["2026-02-01"],
            ),
        ]
        | None
    ) = None
    period: Annotated[
        Period | None,
        Meta(
            description="A range up to today, today included: `today`; `7d`, `14d`, `28d`, `30d`, `60d`, `90d` or "
            "`91d` (so many days); `week` (from Monday), `month`, `quarter` or `year` (the present one); `6mo` or "
            "`12mo` (the present month and those before); `all`; or `yesterday`. "
            f"Without `date`, `from` and `period`: `{ranges.DEFAULT}`."
        ),
    ] = None
    timezone: (
        Annotated[
            str,
            Meta(description="The timezone that days are meant in, as Europe/Berlin (IANA); left out: the site's."),
        ]
        | None
    ) = None
    format: AskedFormat = None
    safe: Safe = False
    filter: Annotated[
        list[str],
        Meta(
            description=f"What events have to match; may be repeated (all have to match): {filters.ALLOWED}. "
            f"{filters.ALLOWED_OF_VISITS}."
        ),
    ] = msgspec.field(default_factory=list)

    def check(self, media_type: str) -> None:
        """Raise BadParameter for what the types do not say, and which needs no database."""

    def begins_by(self) -> str:
        """The parameter that says where the range begins."""
        return "date" if self.date else "from" if self.start else "period"

    def comparison(self) -> Comparison | None:
        """Which range to compare with, if any."""
        return None

    def filters(self) -> Filters:
        """What events have to match. Raises BadParameter."""
        return read_filters(self.filter)

    def requested_range(self) -> RequestedRange:
        """The range as it is requested. Raises BadParameter."""
        if self.timezone is not None and self.timezone not in timezones():
            raise BadParameter("timezone", f"{self.timezone!r} is unknown")
        given = [name for name, value in (("date", self.date), ("from", self.start), ("period", self.period)) if value]
        if len(given) > 1:
            raise BadParameter(given[1], f"is given beside `{given[0]}`", "one of date, from and period")
        if self.end and not self.start:
            raise BadParameter("to", "is given without `from`")
        if self.date:
            day = _within("date", self.date)
            return RequestedRange(days=(day, day + timedelta(days=1)), timezone=self.timezone)
        if self.start:
            return _between(self.start, self.end, timezone=self.timezone)
        return RequestedRange(period=self.period or ranges.DEFAULT, timezone=self.timezone)


class ComparedQuery(ReportQuery, kw_only=True):
    """The same, and whether to compare with another range."""

    compare: Compare = None

    def comparison(self) -> Comparison | None:
        """Which range to compare with, if any."""
        return self.compare


def _between(start: str, end: str | None, *, timezone: str | None) -> RequestedRange:
    first, last = _moment("from", start), _moment("to", end) if end else None
    if isinstance(first, datetime):
        if last is not None and not isinstance(last, datetime):
            raise BadParameter("to", "is a day, but `from` is an instant")
        return RequestedRange(instants=(first, last or datetime.now(UTC)), timezone=timezone)
    if isinstance(last, datetime):
        raise BadParameter("to", "is an instant, but `from` is a day")
    return RequestedRange(days=(first, last), timezone=timezone)


def _moment(name: str, text: str) -> date | datetime:
    for kind in (date, Annotated[datetime, Meta(tz=True)]):
        try:
            moment: date | datetime = msgspec.convert(text, kind)
            return _within(name, moment)
        except msgspec.ValidationError:
            continue
    raise BadParameter(name, f"should be {MOMENT}", MOMENT)


def _within(name: str, moment: Moment) -> Moment:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadParameter(name, f"is not between the years {FIRST_YEAR} and {LAST_YEAR}", MOMENT)
    return moment
