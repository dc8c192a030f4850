"""The reporting app: `uvicorn apps.reporting:app --port 3001`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, get
from msgspec import Meta
from prometheus_client import CollectorRegistry, ProcessCollector

from actors.broker import refusal
from actors.queue import redis_url
from apps import connections
from apps.accounting import get_accounting
from apps.attended import UNANSWERED, Attended
from apps.dead_letters import router as dead_letters
from apps.heads import Heads
from apps.health import health, readiness
from apps.imports import router as imports
from apps.ledger_metrics import LedgerMetrics
from apps.metrics import Measured, Requests, metrics
from apps.openapi import answer, openapi, operation
from apps.pages import front_page
from apps.parameters import read_query
from apps.problems import answer_error, problem_answer, refuse
from apps.queue_metrics import QueueMetrics
from apps.receipts import get_receipt
from apps.reports.breakdown import get_breakdown
from apps.reports.events import export_events, get_events
from apps.reports.funnel import get_funnel
from apps.reports.journeys import get_journeys
from apps.reports.live import get_live
from apps.reports.live_stream import get_live_stream, streaming
from apps.reports.retention import get_retention
from apps.reports.revenue import get_revenue
from apps.reports.sessions import get_sessions
from apps.reports.sites import get_sites
from apps.reports.timeseries import get_timeseries
from apps.reports.users import get_user
from apps.starting import CheckedStart
from apps.timezones import put_timezone
from db.event import SiteId
from db.event_errors import FieldError
from db.logs import configure
from db.pool_metrics import PoolMetrics
from db.pools import ReadConnection
from db.stats import PathViews, Stats, stats

DESCRIPTION = """
Reports on what the [ingestion API](ingestion:/schema) has accepted. They are exact, and an event is in them the moment
it is stored. The examples ask about the site `shop`: on a new installation send the example of `POST /event` first.

HEAD is answered wherever GET is. Every error is `application/problem+json` with the reason and, in `errors`, each
parameter that is wrong.
"""

Day = Annotated[
    date, Meta(description="A day of the site's timezone, as YYYY-MM-DD; left out: all time.", examples=["2026-01-02"])
]

BAD_DATE = FieldError(field="date", reason="Invalid RFC3339 encoded date", allowed="a day as YYYY-MM-DD")


class StatsQuery(msgspec.Struct, kw_only=True):
    """The parameters of GET /stats."""

    site_id: SiteId
    date: Day | None = None


@get(
    "/stats",
    summary="Views, users and top paths",
    tags=["reports"],
    operation_class=operation(query=StatsQuery),
    responses={
        200: answer(
            "The report.",
            Stats(
                site_id="shop",
                date=date(2026, 1, 2),
                total_views=1024,
                unique_users=417,
                top_paths=[PathViews(path="/products/lamp", views=120)],
            ),
        ),
        400: problem_answer(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_DATE]),
        ),
        **UNANSWERED,
    },
)
async def get_stats(request: Request[Any, Any, Any]) -> Stats:
    """How often a site's pages were viewed on a day or ever, by how many different users, and the ten most viewed
    paths.

    Views are events of type `page_view`; users are counted over all event types. A site that was never seen has zeros.
    """
    query = read_query(request, StatsQuery)
    return await connections.read(partial(stats, site_id=query.site_id, date=query.date))


async def check_postgresql() -> None:
    await connections.read(look)


async def look(conn: ReadConnection) -> None:
    await conn.execute("select from sites limit 1")


@asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    configure(connections.settings)
    async with connections.connected(), ledger.watching(), streaming():
        yield


for name in ("database_url", "redis_url"):
    connections.settings.required(name)  # now: what a server lacks is the last line that it says
ledger = LedgerMetrics()
own = CollectorRegistry()
ProcessCollector(registry=own)
own.register(PoolMetrics(lambda: connections.pool.get_stats()))
litestar = Litestar(
    [
        front_page("reporting"),
        get_stats,
        get_timeseries,
        get_breakdown,
        get_events,
        export_events,
        get_sites,
        put_timezone,
        get_revenue,
        get_live,
        get_live_stream,
        get_funnel,
        get_retention,
        get_sessions,
        get_journeys,
        get_user,
        dead_letters,
        imports,
        get_receipt,
        get_accounting,
        health,
        readiness(connections.watch, postgresql=check_postgresql),
        metrics(own, QueueMetrics(connections.watch), ledger),
    ],
    lifespan=[lifespan],
    exception_handlers={Exception: answer_error},
    openapi_config=openapi("reporting", DESCRIPTION),
    logging_config=None,
)
app = CheckedStart(
    Measured(Attended(Heads(litestar), seconds=connections.settings.report_timeout_seconds), Requests(own)),
    connections.refusal,
    partial(refusal, redis_url),
)
