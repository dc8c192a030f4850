"""Every report that rollups answer, by whatever plan: the same as by any other, and as the events say.

Small tables get the plans that are right by chance: fewer than seven rows are sorted by insertion, which is stable.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, get_args
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection

from db.events.event import ReceivedEvent
from db.events.known import Agent, Origin
from db.migrations import migrate
from db.reports.breakdown import Criteria, breakdown
from db.reports.funnel import funnel
from db.reports.journeys import journeys
from db.reports.retention import retention
from db.reports.revenue import ORDERS, REFUNDS, revenue
from db.reports.sales.best_customers import best_customers
from db.reports.sales.cohorts import cohorts
from db.reports.sales.counted import Counted
from db.reports.sales.customers import customers
from db.reports.sales.products import Criteria as ProductCriteria
from db.reports.sales.products import products
from db.reports.sessions import sessions
from db.reports.shared.filters import read_filters
from db.reports.shared.ranges import RequestedRange, resolve
from db.reports.shared.report import Question
from db.reports.stats import stats
from db.reports.timeseries import points
from db.reports.visits.breakdown import VisitsCriteria, visits_breakdown
from db.reports.visits.figures import METRICS
from db.reports.visits.series import visits_timeseries
from db.rollups.advance import Rollup, advance
from db.store.events import store_events
from tests.builders.factories import batch
from tests.checks.thorough import TIMES
from tests.db.schema.test_migrations import EmptyDatabase

NOW = datetime(2026, 6, 11, 15, 20, tzinfo=UTC)
DAYS = (date(2026, 2, 27), date(2026, 6, 12))
USERS, EVENTS = 400, 4_000
PARALLEL = {
    "max_parallel_workers_per_gather": "4",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "min_parallel_table_scan_size": "0",
    "min_parallel_index_scan_size": "0",
}
#: What the planner is made to do without, or to do.
PLANS: list[dict[str, str]] = [
    {},
    {"enable_sort": "off"},
    {"enable_hashagg": "off"},
    {"enable_nestloop": "off"},
    {"enable_hashjoin": "off"},
    {"enable_mergejoin": "off"},
    {"enable_hashagg": "off", "enable_hashjoin": "off", "enable_nestloop": "off", "work_mem": "64kB"},
    {"enable_indexscan": "off", "enable_bitmapscan": "off", "enable_indexonlyscan": "off"},
    PARALLEL,
    PARALLEL | {"enable_hashagg": "off", "enable_nestloop": "off"},
]
OF_ALL = ProductCriteria(
    by="product", order_by="orders", search="", limit=20, views=["page_view"], carts=["click"], checkouts=["nothing"]
)
OF_VISITS = read_filters(["device:is_not:tablet", "landing:is_not:/7"])
SALES = Counted(orders=ORDERS, refunds=REFUNDS)
Ask = Callable[[AsyncConnection, Question], Awaitable[Any]]


def series(metric: Any, interval: Any) -> Ask:
    return lambda conn, question: points(conn, question, metric, interval)


def parts(dimension: str, *, users: bool = True) -> Ask:
    criteria = Criteria(dimension=dimension, users=users, search="", limit=7)
    return lambda conn, question: breakdown(conn, question, criteria)


def visits(dimension: str) -> Ask:
    criteria = VisitsCriteria(
        dimension=dimension, metrics=METRICS, order_by="conversion", currency="EUR", search="", limit=7
    )
    return lambda conn, question: visits_breakdown(conn, msgspec.structs.replace(question, filters=OF_VISITS), criteria)


def steps(*names: str, days: int) -> Ask:
    return lambda conn, question: funnel(conn, question, steps=names, window=f"{days}d")


def ways(direction: Any) -> Ask:
    return lambda conn, question: journeys(conn, question, path="/1", direction=direction, steps=3, limit=20)


QUESTIONS: dict[str, Ask] = {
    "events by hour": series("events", "hour"),
    "views by day": series("views", "day"),
    "events by month": series("events", "month"),
    "users by hour": series("users", "hour"),
    "users by day": series("users", "day"),
    "users by week": series("users", "week"),
    "users by month": series("users", "month"),
    "paths": parts("path", users=False),
    "event types": parts("event_type"),
    "cohorts by day": lambda conn, question: retention(conn, question, interval="day", periods=9),
    "cohorts by week": lambda conn, question: retention(conn, question, interval="week", periods=9),
    "sessions": lambda conn, question: sessions(conn, question, pages=7),
    "visits by source": visits("source"),
    "visits by landing": visits("landing"),
    "visits over time": lambda conn, question: visits_timeseries(
        conn, msgspec.structs.replace(question, filters=OF_VISITS), metric="conversion", interval="week"
    ),
    "journeys from": ways("from"),
    "journeys to": ways("to"),
    "revenue": lambda conn, question: revenue(
        conn, question, orders=ORDERS, refunds=REFUNDS, products=20, interval="week"
    ),
    "customers": lambda conn, question: customers(conn, question, SALES, interval="week"),
    "cohorts of customers": lambda conn, question: cohorts(conn, question, SALES, months=2),
    "best customers": lambda conn, question: best_customers(conn, question, SALES, limit=7),
    "products": lambda conn, question: products(conn, question, SALES, OF_ALL),
    "funnel of two months": steps("page_view", "purchase", days=7),
    "funnel of all": steps("page_view", "click", "purchase", "refund", days=90),
    "funnel of steps with several types": steps("page_view|click", "purchase|click", "page_view", days=30),
}


def test_every_plan_gives_the_same_answer(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        fill(conn)
    asyncio.run(compare(url))


def fill(conn: psycopg.Connection) -> None:
    """Months of what some hundred users do, of which the rollups that are written later have most."""
    random = Random(7)
    first = datetime(DAYS[0].year, DAYS[0].month, DAYS[0].day, tzinfo=UTC)
    events = []
    for number in range(EVENTS):
        # Many a user comes at the turn of a month, before it and after it.
        turn = datetime(2026, random.randint(3, 6), 1, tzinfo=UTC) + timedelta(minutes=random.randint(-3_000, 3_000))
        moment = turn if number % 2 else first + random.random() * (NOW - first)
        user = random.randint(0, USERS)
        line = {"sku": f"s{user % 9}", "name": random.choice(["Lamp", "Lampe", None]), "price": user % 7}
        events.append(
            ReceivedEvent(
                site_id="shop",
                event_type=random.choices(["page_view", "click", "purchase", "refund"], [6, 2, 2, 1])[0],
                path=f"/{random.randint(1, 40)}",
                user_id=f"user {user}" if user else None,
                timestamp=moment,
                event_id=str(UUID(int=random.getrandbits(128), version=4)),
                received_at=NOW,
                agent=random.choice([None, Agent(device="mobile"), Agent(device="tablet")]),
                origin=random.choice([None, Origin(source="a"), Origin(source="b", medium="c")]),
                properties={
                    "order_id": str(random.randint(1, 900)),
                    "revenue": random.randint(0, 9_999) / 100,
                    "currency": random.choice(["EUR", "USD", "nothing"]),
                    "products": [line],
                },
            )
        )
    events.sort(key=lambda event: (event.timestamp > NOW - timedelta(hours=30), random.random()))
    for start in range(0, EVENTS, 1_000):
        store_events(conn, batch(*events[start : start + 1_000]))
        for rollup in get_args(Rollup) if start in (1_000, EVENTS - 1_000) else ():
            while advance(conn, rollup, "shop", target=NOW - timedelta(hours=4)):
                pass


async def compare(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None) as conn:
        covered = await resolve(conn, "shop", RequestedRange(days=DAYS), now=NOW)
        asked = Question(site_id="shop", range=covered, filters=read_filters([]), now=NOW, as_of=NOW)
        of_events = msgspec.structs.replace(asked, filters=read_filters(["properties.none:missing"]))
        answers = {name: plain(await ask(conn, of_events)) for name, ask in QUESTIONS.items()}
        ever = await ever_and_day(conn)
        forced = "debug_parallel_query" if conn.info.server_version >= 160_000 else "force_parallel_mode"
        plans = [*PLANS, PARALLEL | {forced: "on"}]
        # Half of the plans, each before or after the statistics, and the planner's own both: others in each run.
        tried = Random().sample(range(1, len(plans)), len(plans) // 2)
        later = set(tried[::2])
        for analyzed in (False, True):
            if analyzed:
                await conn.execute("analyze")
            for number, plan in enumerate(plans):
                if TIMES == 1 and number and (number not in tried or analyzed != (number in later)):
                    continue
                async with conn.transaction():
                    for name, value in plan.items():
                        await conn.execute("select set_config(%s, %s, true)", [name, value])
                    for place, (name, ask) in enumerate(QUESTIONS.items()):
                        assert plain(await ask(conn, asked)) == answers[name], (name, plan, analyzed)
                        if place % 4 == number % 4:
                            assert plain(await ask(conn, of_events)) == answers[name], (name, plan, analyzed)
                    assert await ever_and_day(conn) == ever, (plan, analyzed)


async def ever_and_day(conn: AsyncConnection) -> list[Any]:
    return [await stats(conn, site_id="shop", date=day) for day in (None, DAYS[0])]


def plain(answer: Any) -> Any:
    """The same as what JSON has, without what tells where it is from; fractions to six places."""
    if isinstance(answer, (list, tuple)):
        return [plain(one) for one in answer if one not in ("rollups", "events")]
    if isinstance(answer, dict):
        return {name: plain(one) for name, one in answer.items() if name != "source"}
    if isinstance(answer, float):
        return round(answer, 6)
    return plain(msgspec.to_builtins(answer)) if isinstance(answer, msgspec.Struct) else answer
