"""The ingestion app: `uvicorn apps.ingestion:app --port 3000`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp

from actors.durable.broker import refusal
from apps.events.cors import Cors, Origins
from apps.events.endpoints import post_event, post_events
from apps.events.fast_path import FastPath
from apps.events.metrics import INGESTION, REQUESTS
from apps.events.resources import EventResources
from apps.monitoring.health import health, readiness
from apps.monitoring.metrics import Measured, metrics
from apps.monitoring.queue_metrics import QueueMetrics
from apps.sdks.router import sdk_endpoints
from apps.sdks.shared.resources import SdkResources
from apps.web.head_requests import Heads
from apps.web.openapi import openapi
from apps.web.problems import error_response
from apps.web.schema_page import front_page
from apps.web.startup import CheckedStart
from db.logs import configure
from db.settings import Settings, load

DESCRIPTION = """
Accepts the events of a shop: page views, clicks, orders. The response 202 is a promise: the event will be counted
exactly once, even if processes crash. To make it safe to send an event again, give it an `event_id` and a `timestamp`.

Every error is `application/problem+json` with the reason and, in `errors`, each invalid field. 503 means that the
events were not taken: send them again after `Retry-After` seconds.

SDKs of Segment, RudderStack, PostHog, Plausible, Umami and Jitsu have their own endpoints: the same promise, with the
responses and errors that these SDKs expect.

Accepted events appear at once in the reports of the [reporting API](reporting:/schema). HEAD works wherever GET does.
"""


def make_litestar(sdks: SdkResources) -> Litestar:
    """The Litestar app: routes and OpenAPI document."""
    events = sdks.events

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        configure(events.settings)
        async with events.running():
            yield

    return Litestar(
        [
            front_page("ingestion", events.settings),
            post_event,
            post_events,
            sdk_endpoints,
            health,
            readiness(events.monitor),
            metrics(INGESTION, QueueMetrics(events.monitor)),
        ],
        lifespan=[lifespan],
        state=State({"events": events, "sdks": sdks}),
        exception_handlers={Exception: error_response},
        openapi_config=openapi("ingestion", DESCRIPTION, events.settings),
        logging_config=None,
    )


def create_app(settings: Settings, sdks: SdkResources | None = None) -> ASGIApp:
    """The ASGI app for these settings; it creates its resources if none are given. Raises SettingsError."""
    sdks = sdks or SdkResources(EventResources(settings))
    origins = Origins(settings.cors_origins)
    served = Measured(Heads(Cors(make_litestar(sdks), origins)), REQUESTS)
    return CheckedStart(
        FastPath(served, sdks.events, REQUESTS, origins), partial(refusal, settings.required("redis_url"))
    )


@cache
def _app() -> ASGIApp:
    return create_app(load())


def __getattr__(name: str) -> Any:
    """Create `app` when a server imports it, so that importing this module needs no settings."""
    if name == "app":
        return _app()
    raise AttributeError(name)
