"""Which whole months and sixths of months a range of days has, of which the rollup path_spans knows the sums."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from db.reports.ranges import Range

#: The days of a month with which its sixths begin; the last one goes on to the month's end.
SIXTHS = (1, 6, 11, 16, 21, 26)


def path_parameters(covered: Range, *, whole: bool = True) -> dict[str, Any]:
    """The parameters of a query over paths that say where it finds a range of whole days.

    That is: in path_days up to `days_until`, in path_spans, and in path_days again from `days_from` on. Without `whole`
    it is all in path_days.
    """
    first, end, known = covered.first_day, covered.end_day, covered.path_spans_until
    found = list(spans(first, min(end, known))) if whole and first and end and known else []
    return {
        "days_until": found[0][0] if found else end,
        "days_from": found[-1][1] if found else end,
        "span_firsts": [begin for begin, _ in found],
        "span_ends": [until for _, until in found],
    }


def spans(first_day: date, end_day: date) -> Iterator[tuple[date, date]]:
    """The longest spans from the first that begins in a range to the last that ends in it: two days each, half-open."""
    begin = first_day if first_day.day in SIXTHS else _sixth_end(first_day)
    while True:
        end = _month_end(begin)
        if begin.day != 1 or end > end_day:
            end = _sixth_end(begin)
        if end > end_day:
            return
        yield begin, end
        begin = end


def _sixth_end(day: date) -> date:
    return next((day.replace(day=sixth) for sixth in SIXTHS if sixth > day.day), _month_end(day))


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
