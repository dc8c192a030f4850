"""The questions about what users do one after the other: sessions, journeys, funnels, retention, and a user."""

from collections import Counter, defaultdict
from datetime import UTC, timedelta
from statistics import median

from db.reports.funnel import funnel, read_window
from db.reports.journeys import journeys
from db.reports.retention import retention
from db.reports.sessions import sessions
from db.reports.users import user_report
from tests.life.counting import counts
from tests.life.counting.asking import Asking
from tests.life.counting.counts import Matches

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


async def ask_sessions(ask: Asking) -> None:
    """GET /sessions"""
    filters, matches = ask.filter(some=[None, None, None, "event_type:is_not:click"])
    question = await ask.question(matching=filters)
    report = await sessions(ask.conn, question, pages=1000)
    summary = report.summary
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
    for pages, place in ((report.entry_pages, 0), (report.exit_pages, -1)):
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
    question = await ask.question(matching=ask.filter(some=[None])[0], long=ask.random.random() < 0.5)
    names = ask.draw("of", [OF_TYPES, OF_TYPES, list(STEPS)])
    steps = [ask.random.choice(names) for _ in range(ask.random.choice([2, 2, 3, 3, 5, 8]))]
    window = ask.draw("window", ["20m", "1d", "7d", "90d"])
    ask.asked["steps"] = steps
    report = await funnel(ask.conn, question, steps=steps, window=window)
    ask.asked["source"] = report.source
    start, end = question.range.start.astimezone(UTC), question.range.end.astimezone(UTC)
    took = counts.funnel(ask.site.by_user, [STEPS[name] for name in steps], start, end, read_window(window))
    ask.same("users", [step.users for step in report.steps], [len(times) for times in took])
    for step, times in zip(report.steps[1:], took[1:], strict=True):
        middle = median(times) if times else None
        ask.alike("median", step.median_seconds, middle)
    nobody = [one for one in ask.events(question) if one.user_id is None]
    ask.same("anonymous", [step.anonymous for step in report.steps], [sum(map(STEPS[name], nobody)) for name in steps])


async def ask_retention(ask: Asking) -> None:
    """GET /retention"""
    filters, matches = ask.filter(some=[None, "event_type:is_not:click", "path:is:/products/*|/a"])
    question = await ask.question(matching=filters, days_only=True)
    interval, periods = ask.draw("interval", ["day", "week"]), ask.draw("periods", [1, 5])
    report = await retention(ask.conn, question, interval=interval, periods=periods)
    zone, step = question.range.timezone, timedelta(weeks=1) if interval == "week" else timedelta(days=1)
    start, end = question.range.start.astimezone(UTC), question.range.end.astimezone(UTC)
    members, there = defaultdict(set), defaultdict(set)
    for user, found in ask.site.by_user.items():
        if start <= found[0].timestamp < end:
            members[counts.local_day(counts.at(found[0].timestamp, interval, zone), zone)].add(user)
        for one in filter(matches, found):
            there[counts.local_day(counts.at(one.timestamp, interval, zone), zone)].add(user)
    for cohort in report.cohorts:
        ask.asked["cohort"] = str(cohort.cohort)
        users = members[cohort.cohort]
        ask.same("size", cohort.size, len(users))
        came = [len(users & there[cohort.cohort + number * step]) for number in range(len(cohort.values))]
        ask.same("values", cohort.values, came)
    ask.same("cohorts", sum(cohort.size for cohort in report.cohorts), sum(map(len, members.values())))


async def ask_user(ask: Asking) -> None:
    """GET /users/{user_id}"""
    name = ask.draw("user", sorted(ask.site.by_user)[:50] or ["nobody"])
    question = await ask.question(matching=ask.filter(some=[None])[0])
    order = ask.draw("order", ["newest", "oldest"])
    report = await user_report(ask.conn, question, user_id=name, order=order, limit=3)
    of_user = ask.site.by_user.get(name, [])
    kept = [one for one in of_user if ask.world.is_kept(one)]
    ask.same("known", report is not None, bool(kept))
    if report is None:
        return
    head, listed = report.ever, list(report.events)
    ask.same("total_events", head.total_events, len(kept))
    ask.same("by_type", head.by_type, dict(Counter(one.event_type for one in kept)))
    ask.same("first_seen", head.first_seen.astimezone(UTC), of_user[0].timestamp)
    ask.same("last_seen", head.last_seen.astimezone(UTC), kept[-1].timestamp)
    while report and report.next_cursor:
        cursor = report.next_cursor
        report = await user_report(ask.conn, question, user_id=name, order=order, limit=3, cursor=cursor)
        listed += report.events if report else []
    wanted = sorted(
        (one for one in ask.events(question) if one.user_id == name and ask.world.is_kept(one)),
        key=lambda one: (one.timestamp, one.event_id),
        reverse=order == "newest",
    )
    ask.same("events", [str(one.event_id) for one in listed], [one.event_id for one in wanted])
