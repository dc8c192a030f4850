"""The questions that a life is asked: each asks one report with parameters of chance, and counts the same in Python."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from db.reports.breakdown import Criteria, breakdown
from db.reports.events import events, export
from db.reports.revenue import ORDERS, REFUNDS, exact_sales
from db.reports.sites import sites
from db.reports.stats import stats
from db.reports.timeseries import intervals, timeseries
from tests.life.counting import counts
from tests.life.counting.asking import Asking
from tests.life.counting.questions_of_users import ask_funnel, ask_journeys, ask_retention, ask_sessions, ask_user


async def ask_stats(ask: Asking) -> None:
    """GET /stats"""
    day = ask.draw("date", [None, ask.days()[0]])
    report = await stats(ask.conn, site_id=ask.site.name, date=day)
    found = ask.site.events
    if day:
        found = [one for one in found if counts.local_day(one.timestamp, ask.site.timezone) == day]
    viewed = Counter(one.path for one in counts.views(found))
    ask.same("total_views", report.total_views, viewed.total())
    ask.same("unique_users", report.unique_users, counts.named(found))
    ask.same("top_paths", [(one.path, one.views) for one in report.top_paths], counts.top(viewed, 10))


async def ask_timeseries(ask: Asking) -> None:
    """GET /timeseries"""
    filters, matches = ask.filter()
    question = await ask.question(matching=filters)
    metric = ask.draw("metric", ["events", "views", "users"])
    interval = ask.draw("interval", [name for name in intervals(question) if name != "minute"] or ["month"])
    report = await timeseries(ask.conn, question, metric=metric, interval=interval)
    found = ask.events(question, matches)
    counted = counts.series(
        counts.views(found) if metric == "views" else found, metric, interval, question.range.timezone
    )
    told = {point.at.astimezone(UTC): (point.value, point.anonymous) for point in report.points}
    ask.same("points", len(told), len(report.points))
    empty = (0, 0 if metric == "users" else None)
    ask.same("points", {moment: point for moment, point in told.items() if point != empty}, counted)


async def ask_breakdown(ask: Asking) -> None:
    """GET /breakdown"""
    filters, matches = ask.filter()
    question = await ask.question(matching=filters)
    dimension = ask.draw("dimension", ["path"] * 3 + ["event_type", "event_type", "user_id", "properties.plan"])
    users, limit = ask.draw("users", [False, True]), ask.draw("limit", [1, 3, 1000])
    criteria = Criteria(dimension=dimension, users=users, search=ask.draw("search", ["", "", "A", "/"]), limit=limit)
    report = await breakdown(ask.conn, question, criteria)
    found = ask.events(question, matches)
    groups = defaultdict(list)
    for one in found:
        groups[counts.value(one, dimension)].append(one)
    fitting = Counter({
        name: len(group) for name, group in groups.items() if name and criteria.search.lower() in name.lower()
    })  # fmt: skip
    ask.same("rows", [(row.value, row.events) for row in report.rows], counts.top(fitting, limit))
    ask.same("total", (report.total.events, report.values), (len(found), len(fitting)))
    absent = len(groups[None])
    ask.same("rest", report.rest, len(found) - absent - sum(row.events for row in report.rows))
    if users:
        ask.same("users", report.total.users, counts.named(found))
        ask.same(
            "users of rows",
            [(row.users, row.anonymous) for row in report.rows],
            [(counts.named(groups[row.value]), counts.anonymous(groups[row.value])) for row in report.rows],
        )


async def ask_revenue(ask: Asking) -> None:
    """GET /revenue"""
    filters, matches = ask.filter(some=[None, None, "path:is:/products/*|/a"])
    question = await ask.question(matching=filters)
    interval = ask.draw("interval", [None, "day", "week", "month"])
    report = await exact_sales(ask.conn, question, orders=ORDERS, refunds=REFUNDS, products=1000, interval=interval)
    ask.asked["source"] = report.source
    end = question.range.end.astimezone(UTC)
    before = [one for one in ask.site.events if one.timestamp < end]
    totals, repeated, ignored, products = counts.sales(ask.events(question, matches), before)

    def figures(one: Any) -> list[Any]:
        return [one.orders, Decimal(one.revenue), one.refunds, Decimal(one.refunded)]

    ask.same("currencies", {one.currency: figures(one) for one in report.currencies}, totals)
    ask.same("repeated", report.repeated, repeated)
    ask.same("ignored", sum(one.count for one in report.ignored if one.what != "product"), ignored)
    sold = {
        (one.currency, one.product): [one.orders, Decimal(one.quantity), Decimal(one.revenue)]
        for one in report.products
    }
    ask.same("products", sold, products)
    if interval:
        summed: dict[str, list[Any]] = {code: [0, Decimal(), 0, Decimal()] for code in totals}
        for point in report.points:
            summed[point.currency] = [
                one + other for one, other in zip(summed[point.currency], figures(point), strict=True)
            ]
        ask.same("points", summed, totals)


async def ask_events(ask: Asking) -> None:
    """GET /events, page by page, and GET /events/export"""
    filters, matches = ask.filter()
    question = await ask.question(matching=filters)
    wanted = sorted(ask.events(question, matches), key=lambda one: (one.timestamp, one.event_id))
    ids = [one.event_id for one in wanted]
    listed: list[str] = []
    cursor = None
    limit = max(2, len(wanted) // 3)
    while True:
        page = await events(ask.conn, question, limit=limit, cursor=cursor)
        listed += [str(one.event_id) for one in page.events]
        cursor = page.next_cursor
        if cursor is None:
            break
    ask.same("events", listed[::-1], ids)
    async with ask.conn.transaction(), export(ask.conn, question) as parts:
        ask.same("export", [str(one.event_id) async for part in parts for one in part], ids)


async def ask_sites(ask: Asking) -> None:
    """GET /sites"""
    listed, cursor = [], None
    while True:
        page = await sites(ask.conn, search="", limit=2, cursor=cursor)
        listed += page.sites
        cursor = page.next_cursor
        if cursor is None:
            break
    for one in listed:
        site = ask.world.sites[one.site_id]
        ask.asked["site"] = one.site_id
        counted = (len(site.events), counts.named(site.events), counts.anonymous(site.events), site.timezone)
        ask.same("site", (one.events, one.users, one.anonymous, one.timezone), counted)
        moments = [event.timestamp for event in site.events if ask.world.is_kept(event)]
        # An hour of which events may be gone is told by its begin.
        is_cut = site.deleted_until and moments and min(moments) < site.deleted_until + timedelta(hours=1)
        if moments and len(moments) == len(site.events) and not is_cut:
            ask.same("first", one.first_event, min(moments))
            ask.same("last", one.last_event, max(moments))


QUESTIONS: list[Callable[[Asking], Awaitable[None]]] = [
    ask_stats,
    ask_timeseries,
    ask_timeseries,
    ask_breakdown,
    ask_breakdown,
    ask_sessions,
    ask_journeys,
    ask_funnel,
    ask_funnel,
    ask_retention,
    ask_revenue,
    ask_events,
    ask_user,
    ask_sites,
]
