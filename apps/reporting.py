"""The reporting app: `uvicorn apps.reporting:app --port 3001`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler
from prometheus_client import CollectorRegistry, ProcessCollector

from actors.broker import redis_url
from actors.durable.broker import refusal
from apps.access.guard import guard
from apps.access.limits import Limits, limit
from apps.access.needs import ANY_KEY, PUBLIC, SECURITY, document, needs
from apps.access.response_headers import ResponseHeaders
from apps.dead_letters.endpoints import router as dead_letters
from apps.importing.endpoints import router as imports
from apps.keys.access import ReportingAccess
from apps.keys.audit_endpoint import get_audit
from apps.keys.endpoints import router as keys
from apps.keys.login import get_me, login_or_error, login_page, login_script, post_login, post_logout
from apps.keys.passwords import Passwords
from apps.keys.share import get_share, post_password, post_share, share_script
from apps.ledger.accounting import get_accounting
from apps.ledger.event_status import get_receipt
from apps.ledger.metrics import LedgerMetrics
from apps.monitoring.health import Degraded, health, readiness
from apps.monitoring.metrics import Measured, Requests, metrics
from apps.monitoring.queue_metrics import QueueMetrics
from apps.people.endpoints import (
    delete_person,
    export_person,
    export_person_of_any_id,
    get_erasure,
    person_options,
)
from apps.reporting_resources import ReportingResources
from apps.reports.breakdown import get_breakdown
from apps.reports.events import export_events, get_events
from apps.reports.funnel import get_funnel
from apps.reports.journeys import get_journeys
from apps.reports.live import get_live
from apps.reports.live_stream import LiveStreams, get_live_stream
from apps.reports.retention import get_retention
from apps.reports.revenue import get_revenue
from apps.reports.sales.best_customers import get_best_customers
from apps.reports.sales.cohorts import get_cohorts
from apps.reports.sales.customers import get_customers
from apps.reports.sales.products import get_products
from apps.reports.sessions import get_sessions
from apps.reports.shared.disconnects import Attended
from apps.reports.stats import get_stats
from apps.reports.timeseries import get_timeseries
from apps.reports.users import get_user
from apps.server.startup import CheckedStart
from apps.sites.settings import router as site_settings
from apps.sites.sites import get_sites
from apps.sites.timezone import put_timezone
from apps.web.head_requests import Heads
from apps.web.openapi import openapi
from apps.web.schema_page import favicon, front_page
from db.access.scopes import AUTH_IS_OFF
from db.connections.metrics import PoolMetrics
from db.connections.pools import ReadConnection
from db.logs import configure
from db.settings import Settings, load

DESCRIPTION = """
Reports on what the [ingestion API](ingestion:/schema) has accepted. They are exact, and an event is in them the moment
it is stored, which is mostly within a fraction of a second of its 202: `GET /events/{event_id}` says whether it is. The
examples are about the site `shop`: on a new installation send the example of `POST /event` first.

`/login` shows who is logged in, and logs out.

HEAD is answered wherever GET is. Every error is `application/problem+json` with the reason and, in `errors`, each
parameter that is wrong.
"""

HANDLERS: list[ControllerRouterHandler] = [
    get_stats,
    get_timeseries,
    get_breakdown,
    get_events,
    export_events,
    get_sites,
    site_settings,
    put_timezone,
    get_revenue,
    get_customers,
    get_cohorts,
    get_best_customers,
    get_products,
    get_live,
    get_live_stream,
    get_funnel,
    get_retention,
    get_sessions,
    get_journeys,
    get_user,
    person_options,  # before the others: they would get an answer to OPTIONS of their own
    export_person,
    export_person_of_any_id,
    delete_person,
    get_erasure,
    dead_letters,
    imports,
    get_receipt,
    get_accounting,
    keys,
    post_share,
    get_share,
    post_password,
    share_script,
    get_audit,
    get_me,
    login_page,
    login_script,
    post_login,
    post_logout,
    health,
]


class ReportingApp(CheckedStart):
    """The reporting app as a server runs it: the Litestar app, measured, and started only if no server refuses us."""

    def __init__(self, resources: ReportingResources) -> None:
        self.resources = resources
        self.streams = LiveStreams(resources)
        self.ledger = LedgerMetrics(resources)
        self.access = ReportingAccess(resources)
        self.passwords = Passwords()
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(PoolMetrics(resources.pool.get_stats))
        monitor = resources.queue_monitor
        self.litestar = Litestar(
            [
                front_page("reporting", resources.settings, opt=needs(ANY_KEY)),
                favicon(needs(PUBLIC)),
                *HANDLERS,
                readiness(monitor, postgresql=self.check_postgresql, access=self.check_access),
                metrics(registry, QueueMetrics(monitor), self.ledger),
            ],
            lifespan=[self.lifespan],
            state=State(
                {
                    "resources": resources,
                    "streams": self.streams,
                    "access": self.access,
                    "limits": Limits(resources.producer, resources.settings),
                    "passwords": self.passwords,
                }
            ),
            guards=[guard, limit],
            exception_handlers={Exception: login_or_error},
            openapi_config=openapi(
                "reporting",
                DESCRIPTION,
                resources.settings,
                security=SECURITY,
                opt=needs(ANY_KEY),
                public=needs(PUBLIC),
            ),
            logging_config=None,
        )
        document(self.litestar)
        attended = Attended(Heads(self.litestar), seconds=resources.settings.report_timeout_seconds)
        app = ResponseHeaders(Measured(attended, Requests(registry)))
        super().__init__(app, resources.refusal, partial(refusal, redis_url))

    @asynccontextmanager
    async def lifespan(self, _: Litestar) -> AsyncIterator[None]:
        """Hold open what the app needs, and look at the ledger in the background."""
        configure(self.resources.settings)
        async with (
            self.resources.connected(),
            self.ledger.watching(),
            self.streams.streaming(),
            self.access.verdicts.noting_use(),
        ):
            yield

    async def check_postgresql(self) -> None:
        """Raise if PostgreSQL cannot answer."""

        async def look(conn: ReadConnection) -> None:
            await conn.execute("select from sites limit 1")

        await self.resources.read(look)

    async def check_access(self) -> None:
        """Raise Degraded if anybody may do everything."""
        if self.resources.settings.auth == "off":
            raise Degraded(AUTH_IS_OFF)


def create_app(settings: Settings) -> ReportingApp:
    """Make the app with these settings. Raises SettingsError if an address is missing."""
    for name in ("database_url", "redis_url"):
        settings.required(name)  # now, so that what a server lacks is the last line that it prints
    return ReportingApp(ReportingResources(settings))


@cache
def _app() -> ReportingApp:
    return create_app(load())


def __getattr__(name: str) -> ReportingApp:
    """Make `app` on first access (PEP 562): importing this module opens nothing and needs no settings."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _app()
