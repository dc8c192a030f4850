"""Which spans of time a range of days is cut into, of which rollups know the sums of paths and the users."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from db.reports.shared.ranges import Range

#: The days of a month with which its sixths begin; the last one goes on to the month's end.
SIXTHS = (1, 6, 11, 16, 21, 26)

#: Spans that follow on each other, each as its first day and the day after its last.
Spans = Iterator[tuple[date, date]]


def path_parameters(covered: Range, *, whole: bool = True) -> dict[str, Any]:
    """The parameters of a query over paths that say where it finds a range of whole days.

    That is: in path_days up to `days_until`, in path_spans, and in path_days again from `days_from` on. Without `whole`
    it is all in path_days.
    """
    return _parameters(covered, covered.path_spans_until, spans if whole else None)


def user_parameters(covered: Range, *, cut: Callable[[date, date], Spans] | None) -> dict[str, Any]:
    """The same of a query over users: in user_days and, for the spans that `cut` makes, in user_spans."""
    return _parameters(covered, covered.user_spans_until, cut)


def spans(first_day: date, end_day: date) -> Spans:
    """The longest spans from the first that begins in a range to the last that ends in it."""
    begin = first_day if first_day.day in SIXTHS else _sixth_end(first_day)
    while True:
        end = _month_end(begin)
        if begin.day != 1 or end > end_day:
            end = _sixth_end(begin)
        if end > end_day:
            return
        yield begin, end
        begin = end


def spans_and_days(first_day: date, end_day: date) -> Spans:
    """The same, and the days before and after them."""
    found = list(spans(first_day, end_day))
    yield from days(first_day, found[0][0] if found else end_day)
    yield from found
    if found:
        yield from days(found[-1][1], end_day)


def days(first_day: date, end_day: date) -> Spans:
    """Each day."""
    for number in range((end_day - first_day).days):
        day = first_day + timedelta(days=number)
        yield day, day + timedelta(days=1)


def _parameters(covered: Range, known_until: date | None, cut: Callable[[date, date], Spans] | None) -> dict[str, Any]:
    first, end = covered.first_day, covered.end_day
    found = list(cut(first, min(end, known_until))) if cut and first and end and known_until else []
    return {
        "days_until": found[0][0] if found else first,
        "days_from": found[-1][1] if found else first,
        "span_firsts": [begin for begin, _ in found],
        "span_ends": [until for _, until in found],
    }


def _sixth_end(day: date) -> date:
    return next((day.replace(day=sixth) for sixth in SIXTHS if sixth > day.day), _month_end(day))


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
