"""The questions that a life is asked: each asks one report with parameters of chance, and counts the same in Python."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from db.reports.breakdown import Wanted, breakdown
from db.reports.events import events, export
from db.reports.funnel import funnel, read_window
from db.reports.journeys import journeys
from db.reports.retention import retention
from db.reports.revenue import ORDERS, REFUNDS, revenue
from db.reports.sessions import sessions
from db.reports.sites import sites
from db.reports.timeseries import intervals, timeseries
from db.reports.user_events import user_events, user_head
from db.stats import stats
from tests.life import counts
from tests.life.asking import Asking
from tests.life.counts import Matches

STEPS: dict[str, Matches] = {
    "page_view": lambda one: one.event_type == "page_view",
    "click": lambda one: one.event_type == "click",
    "click|purchase": lambda one: one.event_type in ("click", "purchase"),
    "add_to_cart": lambda one: one.event_type == "add_to_cart",
    "purchase": lambda one: one.event_type == "purchase",
    "never": lambda one: one.event_type == "never",
    "page_view;path:is:/products/*": lambda one: one.event_type == "page_view" and one.path.startswith("/products/"),
}
OF_TYPES = [name for name in STEPS if ";" not in name]


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
    _, points = await timeseries(ask.conn, question, metric=metric, interval=interval)
    found = ask.events(question, matches)
    counted = counts.series(
        counts.views(found) if metric == "views" else found, metric, interval, question.range.timezone
    )
    told = {point.at.astimezone(UTC): (point.value, point.anonymous) for point in points}
    ask.same("points", len(told), len(points))
    empty = (0, 0 if metric == "users" else None)
    ask.same("points", {moment: point for moment, point in told.items() if point != empty}, counted)


async def ask_breakdown(ask: Asking) -> None:
    """GET /breakdown"""
    filters, matches = ask.filter()
    question = await ask.question(matching=filters)
    dimension = ask.draw("dimension", ["path"] * 3 + ["event_type", "event_type", "user_id", "properties.plan"])
    users, limit = ask.draw("users", [False, True]), ask.draw("limit", [1, 3, 1000])
    wanted = Wanted(dimension=dimension, users=users, search=ask.draw("search", ["", "", "A", "/"]), limit=limit)
    report = await breakdown(ask.conn, question, wanted, as_of=ask.now)
    found = ask.events(question, matches)
    groups = defaultdict(list)
    for one in found:
        groups[counts.value(one, dimension)].append(one)
    fitting = Counter({
        name: len(group) for name, group in groups.items() if name and wanted.search.lower() in name.lower()
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


async def ask_sessions(ask: Asking) -> None:
    """GET /sessions"""
    filters, matches = ask.filter(some=[None, None, None, "event_type:is_not:click"])
    question = await ask.question(matching=filters)
    _, summary, entries, exits = await sessions(ask.conn, question, pages=1000)
    start, end = question.range.start.astimezone(UTC), question.range.end.astimezone(UTC)
    found = counts.sessions(ask.site.by_user, start, end, matches)
    mean, median = counts.durations(found)
    ask.same("sessions", summary.sessions, len(found))
    ask.same("users", summary.users, len({session[0].user_id for session in found}))
    ask.same("anonymous", summary.anonymous, counts.anonymous(ask.events(question, matches)))
    ask.same("bounces", summary.bounces, sum(len(session) == 1 for session in found))
    ask.same("views", summary.views, sum(len(counts.views(session)) for session in found))
    ask.alike("average", summary.average_seconds, mean)
    ask.alike("median", summary.median_seconds, median)
    for pages, place in ((entries, 0), (exits, -1)):
        ask.same("pages", {page.path: page.sessions for page in pages}, Counter(one[place].path for one in found))


async def ask_journeys(ask: Asking) -> None:
    """GET /journeys"""
    question = await ask.question(matching=ask.filter(some=[None])[0])
    path, direction = ask.draw("path", ["/", "/a", "/products/1"]), ask.draw("direction", ["from", "to"])
    steps = ask.draw("steps", [1, 2, 5])
    report = await journeys(ask.conn, question, path=path, direction=direction, steps=steps, limit=100_000)
    start, end = question.range.start.astimezone(UTC), question.range.end.astimezone(UTC)
    found = counts.journeys(counts.sessions(ask.site.by_user, start, end, lambda _: True), path, direction, steps)
    ask.same(
        "journeys",
        {tuple(one.pages): (one.sessions, one.users) for one in report.journeys},
        {pages: (len(users), len(set(users))) for pages, users in found.items()},
    )
    viewed = [one for one in counts.views(ask.events(question)) if one.path == path]
    ask.same("anonymous", report.anonymous, counts.anonymous(viewed))


async def ask_funnel(ask: Asking) -> None:
    """GET /funnel"""
    question = await ask.question(matching=ask.filter(some=[None])[0])
    names = ask.draw("of", [OF_TYPES, OF_TYPES, list(STEPS)])
    steps = [ask.random.choice(names) for _ in range(ask.random.choice([2, 2, 3, 3, 5, 8]))]
    window = ask.draw("window", ["20m", "1d", "7d", "90d"])
    ask.asked["steps"] = steps
    length = read_window(window) or timedelta()
    source, report = await funnel(ask.conn, question, steps=steps, window=length)
    ask.asked["source"] = source
    start, end = question.range.start.astimezone(UTC), question.range.end.astimezone(UTC)
    took = counts.funnel(ask.site.by_user, [STEPS[name] for name in steps], start, end, length)
    ask.same("users", [step.users for step in report], [len(times) for times in took])
    for step, times in zip(report[1:], took[1:], strict=True):
        middle = median(times) if times else None
        ask.alike("median", step.median_seconds, middle)
    nobody = [one for one in ask.events(question) if one.user_id is None]
    ask.same("anonymous", [step.anonymous for step in report], [sum(map(STEPS[name], nobody)) for name in steps])


async def ask_retention(ask: Asking) -> None:
    """GET /retention"""
    filters, matches = ask.filter(some=[None, "event_type:is_not:click", "path:is:/products/*|/a"])
    question = await ask.question(matching=filters, days_only=True)
    interval, periods = ask.draw("interval", ["day", "week"]), ask.draw("periods", [1, 5])
    _, cohorts = await retention(ask.conn, question, interval=interval, periods=periods, as_of=ask.now)
    zone, step = question.range.timezone, timedelta(weeks=1) if interval == "week" else timedelta(days=1)
    start, end = question.range.start.astimezone(UTC), question.range.end.astimezone(UTC)
    members, there = defaultdict(set), defaultdict(set)
    for user, found in ask.site.by_user.items():
        if start <= found[0].timestamp < end:
            members[counts.local_day(counts.at(found[0].timestamp, interval, zone), zone)].add(user)
        for one in filter(matches, found):
            there[counts.local_day(counts.at(one.timestamp, interval, zone), zone)].add(user)
    for cohort in cohorts:
        ask.asked["cohort"] = str(cohort.cohort)
        users = members[cohort.cohort]
        ask.same("size", cohort.size, len(users))
        came = [len(users & there[cohort.cohort + number * step]) for number in range(len(cohort.values))]
        ask.same("values", cohort.values, came)
    ask.same("cohorts", sum(cohort.size for cohort in cohorts), sum(map(len, members.values())))


async def ask_revenue(ask: Asking) -> None:
    """GET /revenue"""
    filters, matches = ask.filter(some=[None, None, "path:is:/products/*|/a"])
    question = await ask.question(matching=filters)
    interval = ask.draw("interval", [None, "day", "week", "month"])
    report = await revenue(ask.conn, question, orders=ORDERS, refunds=REFUNDS, products=1000, interval=interval)
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
        page = await events(ask.conn, question, as_of=ask.now, limit=limit, cursor=cursor)
        listed += [str(one.event_id) for one in page.events]
        cursor = page.next_cursor
        if cursor is None:
            break
    ask.same("events", listed[::-1], ids)
    async with ask.conn.transaction(), export(ask.conn, question) as parts:
        ask.same("export", [str(one.event_id) async for part in parts for one in part], ids)


async def ask_user(ask: Asking) -> None:
    """GET /users/{user_id}"""
    user = ask.draw("user", sorted(ask.site.by_user)[:50] or ["nobody"])
    question = await ask.question(matching=ask.filter(some=[None])[0])
    order = ask.draw("order", ["newest", "oldest"])
    head = await user_head(ask.conn, question, user_id=user)
    of_user = ask.site.by_user.get(user, [])
    kept = [one for one in of_user if ask.world.is_kept(one)]
    ask.same("known", head is not None, bool(kept))
    if head is None:
        return
    ask.same("total_events", head.total_events, len(kept))
    ask.same("by_type", head.by_type, dict(Counter(one.event_type for one in kept)))
    ask.same("first_seen", head.first_seen.astimezone(UTC), of_user[0].timestamp)
    ask.same("last_seen", head.last_seen.astimezone(UTC), kept[-1].timestamp)
    listed, cursor = await user_events(ask.conn, question, user_id=user, order=order, limit=3, cursor=None)
    while cursor:
        more, cursor = await user_events(ask.conn, question, user_id=user, order=order, limit=3, cursor=cursor)
        listed += more
    wanted = sorted(
        (one for one in ask.events(question) if one.user_id == user and ask.world.is_kept(one)),
        key=lambda one: (one.timestamp, one.event_id),
        reverse=order == "newest",
    )
    ask.same("events", [str(one.event_id) for one in listed], [one.event_id for one in wanted])


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
        if moments and len(moments) == len(site.events):
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
