"""The ingestion app: `uvicorn apps.ingestion:app --port 3000`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial

from litestar import Litestar
from litestar.datastructures import State

from actors.durable.broker import refusal
from apps.access.guard import guard
from apps.access.ingestion import IngestionAccess, refused_page
from apps.access.needs import ANY_KEY, PUBLIC, SECURITY, document, needs
from apps.access.response_headers import PrivatePages
from apps.events.cors import Cors, Origins
from apps.events.endpoints import post_event, post_events
from apps.events.fast_path import FastPath
from apps.events.metrics import INGESTION, REQUESTS
from apps.events.resources import EventResources
from apps.monitoring.health import Degraded, health, readiness
from apps.monitoring.metrics import Measured, metrics
from apps.monitoring.queue_metrics import QueueMetrics
from apps.sdks.router import sdk_endpoints
from apps.sdks.shared.resources import SdkResources
from apps.server.startup import CheckedStart
from apps.web.head_requests import Heads
from apps.web.openapi import openapi
from apps.web.schema_page import favicon, front_page
from db.access.scopes import AUTH_IS_OFF
from db.logs import configure
from db.settings import Settings, load

DESCRIPTION = """
Accepts the events of a shop: page views, clicks, orders. The response 202 is a promise: the event will be counted
exactly once, even if processes crash. To make it safe to send an event again, give it an `event_id` and a `timestamp`.

Events need no key; what reads does, and a shop's own server may send one (`Authorization: Bearer tjra_...`, scope
`events:write`), so that its orders can be told from what a visitor could invent.

Every error is `application/problem+json` with the reason and, in `errors`, each invalid field. 503 means that the
events were not taken: send them again after `Retry-After` seconds.

SDKs of Segment, RudderStack, PostHog, Plausible, Umami and Jitsu have their own endpoints: the same promise, with the
responses and errors that these SDKs expect.

A worker stores accepted events a moment later, mostly within a fraction of a second; then they are in the reports of
the [reporting API](reporting:/schema), where `GET /events/{event_id}` says whether one is `queued` or `stored`. HEAD
works wherever GET does.
"""


class IngestionApp(CheckedStart):
    """The ingestion app as a server runs it: the Litestar app, with a fast path, started only if Redis accepts us."""

    def __init__(self, resources: SdkResources) -> None:
        self.resources = resources
        events, settings = resources.events, resources.events.settings
        self.litestar = Litestar(
            [
                front_page("ingestion", settings, opt=needs(ANY_KEY)),
                favicon(needs(PUBLIC)),
                post_event,
                post_events,
                sdk_endpoints,
                health,
                readiness(events.monitor, access=self.check_access),
                metrics(INGESTION, QueueMetrics(events.monitor)),
            ],
            lifespan=[self.lifespan],
            state=State({"events": events, "sdks": resources, "access": IngestionAccess(settings, events.snapshots)}),
            guards=[guard],
            exception_handlers={Exception: refused_page},
            openapi_config=openapi(
                "ingestion", DESCRIPTION, settings, security=SECURITY, opt=needs(ANY_KEY), public=needs(PUBLIC)
            ),
            logging_config=None,
        )
        document(self.litestar)
        origins = Origins(settings.cors_origins)
        measured = Measured(PrivatePages(Heads(Cors(self.litestar, origins))), REQUESTS)
        fast = FastPath(measured, events, REQUESTS, origins)
        super().__init__(fast, partial(refusal, settings.address("redis_url")))

    @asynccontextmanager
    async def lifespan(self, _: Litestar) -> AsyncIterator[None]:
        """Accept events while the app runs."""
        configure(self.resources.events.settings)
        async with self.resources.events.running():
            yield

    async def check_access(self) -> None:
        """Raise Degraded if access is not as it should be."""
        events = self.resources.events
        if events.settings.auth == "off":
            raise Degraded(AUTH_IS_OFF)
        if events.snapshots.known is None:
            raise Degraded("no worker has told yet which keys and sites there are: nobody's key is valid")


def create_app(settings: Settings) -> IngestionApp:
    """Make the app with these settings. Raises SettingsError if the address of Redis is missing."""
    settings.required("redis_url")  # now, so that what a server lacks is the last line that it prints
    return IngestionApp(SdkResources(EventResources(settings)))


@cache
def _app() -> IngestionApp:
    return create_app(load())


def __getattr__(name: str) -> IngestionApp:
    """Make `app` on first access (PEP 562): importing this module opens nothing and needs no settings."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _app()
