"""The reporting app: `uvicorn apps.reporting:app --port 3001`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from litestar import Litestar
from prometheus_client import CollectorRegistry, ProcessCollector

from actors.broker import redis_url
from actors.durable.broker import refusal
from apps import reporting_resources
from apps.dead_letters.endpoints import router as dead_letters
from apps.importing.endpoints import router as imports
from apps.ledger.accounting import get_accounting
from apps.ledger.event_status import get_receipt
from apps.ledger.metrics import LedgerMetrics
from apps.monitoring.health import health, readiness
from apps.monitoring.metrics import Measured, Requests, metrics
from apps.monitoring.queue_metrics import QueueMetrics
from apps.reports.breakdown import get_breakdown
from apps.reports.events import export_events, get_events
from apps.reports.funnel import get_funnel
from apps.reports.journeys import get_journeys
from apps.reports.live import get_live
from apps.reports.live_stream import get_live_stream, streaming
from apps.reports.retention import get_retention
from apps.reports.revenue import get_revenue
from apps.reports.sessions import get_sessions
from apps.reports.shared.disconnects import Attended
from apps.reports.stats import get_stats
from apps.reports.timeseries import get_timeseries
from apps.reports.users import get_user
from apps.sites.sites import get_sites
from apps.sites.timezone import put_timezone
from apps.web.head_requests import Heads
from apps.web.openapi import openapi
from apps.web.problems import error_response
from apps.web.schema_page import front_page
from apps.web.startup import CheckedStart
from db.connections.metrics import PoolMetrics
from db.connections.pools import ReadConnection
from db.logs import configure

DESCRIPTION = """
Reports on what the [ingestion API](ingestion:/schema) has accepted. They are exact, and an event is in them the moment
it is stored. The examples ask about the site `shop`: on a new installation send the example of `POST /event` first.

HEAD is answered wherever GET is. Every error is `application/problem+json` with the reason and, in `errors`, each
parameter that is wrong.
"""


async def check_postgresql() -> None:
    await reporting_resources.read(look)


async def look(conn: ReadConnection) -> None:
    await conn.execute("select from sites limit 1")


@asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    configure(reporting_resources.settings)
    async with reporting_resources.connected(), ledger.watching(), streaming():
        yield


for name in ("database_url", "redis_url"):
    reporting_resources.settings.required(name)  # now: what a server lacks is the last line that it says
ledger = LedgerMetrics()
own = CollectorRegistry()
ProcessCollector(registry=own)
own.register(PoolMetrics(lambda: reporting_resources.pool.get_stats()))
litestar = Litestar(
    [
        front_page("reporting", reporting_resources.settings),
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
        readiness(reporting_resources.watch, postgresql=check_postgresql),
        metrics(own, QueueMetrics(reporting_resources.watch), ledger),
    ],
    lifespan=[lifespan],
    exception_handlers={Exception: error_response},
    openapi_config=openapi("reporting", DESCRIPTION, reporting_resources.settings),
    logging_config=None,
)
app = CheckedStart(
    Measured(Attended(Heads(litestar), seconds=reporting_resources.settings.report_timeout_seconds), Requests(own)),
    reporting_resources.refusal,
    partial(refusal, redis_url),
)
